"""The records of `review`; each file holds one noun. Only review.gate makes a Publication or a Takedown."""

from .claim import Claim
from .decision import Approval, Decision, Refusal
from .publication import Publication, Takedown
from .recusal import Pass, Recusal
from .sighting import Lookup, Proof, Sighting
from .submission import PublicFile, Submission, Withdrawal

__all__ = [
    "Approval",
    "Claim",
    "Decision",
    "Lookup",
    "Pass",
    "Proof",
    "PublicFile",
    "Publication",
    "Recusal",
    "Refusal",
    "Sighting",
    "Submission",
    "Takedown",
    "Withdrawal",
]
