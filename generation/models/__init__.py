"""The records of `generation`; each file holds one noun."""

from .acknowledgement import Acknowledgement
from .clip import Clip, Rendition
from .feedback import Artifact, Feedback
from .fingerprint import Fingerprint
from .job import Attempt, Job, Seat
from .mark import Mark
from .picture import Picture
from .rule import RuleAnswer, RuleBlock, RuleEnd, RuleObjection, WordRule
from .worker import Worker

__all__ = [
    "WITH_FILES",
    "Acknowledgement",
    "Artifact",
    "Attempt",
    "Clip",
    "Feedback",
    "Fingerprint",
    "Job",
    "Mark",
    "Picture",
    "Rendition",
    "RuleAnswer",
    "RuleBlock",
    "RuleEnd",
    "RuleObjection",
    "Seat",
    "WordRule",
    "Worker",
]

# Whose rows name a file of the private store, by `sha256` and `size`: what none of them names is swept away.
WITH_FILES = (Picture, Rendition)
