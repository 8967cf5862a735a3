"""What lessons claim beyond what they run: trained models for five seeds, not just for one."""

import pytest

SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.full) for seed in (2, 3, 4))]
"""The first two always; all five in ``make test-full``."""
EVERY_SEED = range(5)
"""For what is quick."""
