"""Marks in the picture: one that nobody sees and the installation's key reads again, and one that everybody sees; who
holds which number, and when a clip is marked, is decided elsewhere."""

from .badge import visible
from .invisible import MarkError, embed, read
from .traces import MOST_BYTES
from .weighing import FALSE_ALARM, NOTHING, Reading, reread
from .words import NUMBERS

__all__ = [
    "FALSE_ALARM",
    "MOST_BYTES",
    "NOTHING",
    "NUMBERS",
    "MarkError",
    "Reading",
    "embed",
    "read",
    "reread",
    "visible",
]
