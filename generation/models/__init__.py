"""The records of `generation`; each file holds one noun."""

from .clip import Clip, Rendition
from .job import Attempt, Job, Seat

__all__ = ["Attempt", "Clip", "Job", "Rendition", "Seat"]
