"""Explains PyTorch errors that the course knows: ``%load_ext birnn_course``.

The messages are in ``inputs.py`` (what goes into an RNN), ``outputs.py`` (what comes out),
``packing.py`` and ``losses.py``; how one is recognised is in ``matching.py``.
"""

from .extension import load_ipython_extension as load_ipython_extension
from .extension import unload_ipython_extension as unload_ipython_extension
