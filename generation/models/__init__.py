"""The records of `generation`; each file holds one noun."""

from .acknowledgement import Acknowledgement
from .clip import Clip, Rendition
from .feedback import Artifact, Feedback
from .fingerprint import Fingerprint
from .job import Attempt, Job, Seat
from .mark import Mark

__all__ = [
    "Acknowledgement",
    "Artifact",
    "Attempt",
    "Clip",
    "Feedback",
    "Fingerprint",
    "Job",
    "Mark",
    "Rendition",
    "Seat",
]
