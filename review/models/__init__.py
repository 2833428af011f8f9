"""The records of `review`; each file holds one noun. Only review.gate makes a Publication or a Takedown."""

from generation import models as below

from .claim import Claim
from .clock import Clock, Milestone
from .decision import Approval, Decision, Refusal
from .making import Preparation, StaffCopy
from .month import Month
from .policy import PolicyClause, PolicyVersion
from .publication import Publication, Takedown
from .question import Question, Reply
from .recusal import Pass, Recusal
from .remark import Remark
from .second_look import SecondLook
from .sighting import Lookup, Proof, Sighting
from .submission import PublicFile, Submission, Withdrawal
from .words import Words

__all__ = [
    "WITH_FILES",
    "Approval",
    "Claim",
    "Clock",
    "Decision",
    "Lookup",
    "Milestone",
    "Month",
    "Pass",
    "PolicyClause",
    "PolicyVersion",
    "Preparation",
    "Proof",
    "PublicFile",
    "Publication",
    "Question",
    "Recusal",
    "Refusal",
    "Remark",
    "Reply",
    "SecondLook",
    "Sighting",
    "StaffCopy",
    "Submission",
    "Takedown",
    "Withdrawal",
    "Words",
]

# Whose rows name a file of the private store: generation's, and what is frozen here.
WITH_FILES = (*below.WITH_FILES, PublicFile)
