"""What lessons claim beyond what they run: trained models for five seeds, not just for one."""

import pytest

SEEDS = [pytest.param(seed, marks=pytest.mark.full) for seed in range(5)]
"""For ``make test-full``; the lesson itself, in ``make test``, runs one."""
EVERY_SEED = range(5)
"""For what is quick, or run by ``make test-full`` only."""
