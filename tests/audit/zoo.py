"""All cases: models with a planted bug, and right ones."""

from __future__ import annotations

from audit.faulty_by_hand import BY_HAND
from audit.faulty_layout import LAYOUT
from audit.faulty_padding import PADDING
from audit.faulty_readout import READOUT
from audit.faulty_scoring import SCORING
from audit.faulty_state import STATE
from audit.right_others import OTHERS
from audit.right_recurrent import RECURRENT

FAULTY = [*LAYOUT, *READOUT, *PADDING, *BY_HAND, *STATE, *SCORING]
RIGHT = [*RECURRENT, *OTHERS]
