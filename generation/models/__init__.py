"""The records of `generation`; each file holds one noun."""

from .clip import Clip, Rendition
from .job import Attempt, Job, Seat
from .mark import Mark

__all__ = ["Attempt", "Clip", "Job", "Mark", "Rendition", "Seat"]
