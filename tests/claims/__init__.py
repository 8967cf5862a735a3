"""What lessons claim beyond what they run: trained models for five seeds, not just for one."""

EVERY_SEED = range(5)
"""What trains is run by ``make test-full`` only; the lesson itself, in ``make test``, runs one."""
