"""Marks for a class: what students handed in, run in a sandbox and judged outside of it."""
