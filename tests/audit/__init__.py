"""Small models with one planted bug, and right ones, written without a look at the audit."""
