"""What lessons claim beyond what they run: trained models for five seeds, not just for one."""

import pytest

SEEDS = [1, *(pytest.param(seed, marks=pytest.mark.full) for seed in (0, 2, 3, 4))]
"""One always, which is not that of the lesson; all five in ``make test-full``."""
EVERY_SEED = range(5)
"""For what is quick, or run by ``make test-full`` only."""
