"""Marks in the picture: one that nobody sees and the installation's key reads again, and one that everybody sees; who
holds which number, and when a clip is marked, is decided elsewhere."""

from .badge import visible
from .invisible import FALSE_ALARM, MarkError, Reading, embed, read
from .words import NUMBERS

__all__ = ["FALSE_ALARM", "NUMBERS", "MarkError", "Reading", "embed", "read", "visible"]
