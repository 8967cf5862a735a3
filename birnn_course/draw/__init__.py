"""Drawings of sequences, tensors and readers, made from the real tensors of the cell beside them.

One visual language: ``inks`` says what each colour means, ``scene`` puts shapes on a sheet,
``drawing`` shows it, and the rest lays out what a lesson draws.
"""

from birnn_course.draw.batches import draw_packed, draw_padded
from birnn_course.draw.reading import draw_reading
from birnn_course.draw.tensors import draw_memory, draw_output

__all__ = ["draw_memory", "draw_output", "draw_packed", "draw_padded", "draw_reading"]
