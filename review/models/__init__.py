"""The records of `review`; each file holds one noun. Only review.gate makes a Publication or a Takedown."""

from .claim import Claim
from .decision import Approval, Decision, Refusal
from .publication import Publication, Takedown
from .submission import PublicFile, Submission, Withdrawal

__all__ = [
    "Approval",
    "Claim",
    "Decision",
    "PublicFile",
    "Publication",
    "Refusal",
    "Submission",
    "Takedown",
    "Withdrawal",
]
