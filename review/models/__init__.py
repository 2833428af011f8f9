"""The records of `review`; each file holds one noun. Only review.gate makes a Publication or a Takedown."""

from .claim import Claim
from .decision import Approval, Decision, Refusal
from .publication import Publication, Takedown
from .recusal import Pass, Recusal
from .submission import PublicFile, Submission, Withdrawal

__all__ = [
    "Approval",
    "Claim",
    "Decision",
    "Pass",
    "PublicFile",
    "Publication",
    "Recusal",
    "Refusal",
    "Submission",
    "Takedown",
    "Withdrawal",
]
