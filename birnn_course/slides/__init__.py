"""Lecture slides, made from the lessons: ``birnn slides``.

A lesson's cells carry the standard slideshow metadata, so other tools show them as slides too.
What those cannot know stands in the cell's metadata ``birnn.slide``: see :mod:`.deck`.
"""
