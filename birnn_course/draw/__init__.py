"""Drawings of sequences, tensors and readers, made from the real tensors of the cell beside them.

One visual language: ``inks`` says what each colour means, ``scene`` puts shapes on a sheet,
``drawing`` shows it, and the rest lays out what a lesson draws.
"""
