"""Learn bidirectional RNNs in PyTorch: what the notebooks of this course import.

The names below are loaded when first used, so that ``import birnn_course`` costs next to nothing.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
