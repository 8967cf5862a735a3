"""The question bank, its proofs, and the quiz."""
