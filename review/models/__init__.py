"""The records of `review`; each file holds one noun. Only review.gate makes a Publication or a Takedown."""

from generation import models as below

from .appeal import Appeal, AppealMessage, Dismissal, Hearing, Upholding
from .artist_page import ArtistPage
from .assessment import Assessment
from .claim import Claim
from .clock import Clock, Milestone
from .comfort import Comfort
from .consent import Consent, ConsentedUse, Revocation, Use
from .decision import Approval, Decision, Refusal
from .flag import Flag, Screening
from .making import Preparation, StaffCopy
from .month import Month
from .policy import PolicyClause, PolicyVersion
from .publication import Publication, Takedown
from .question import Question, Reply
from .recusal import Pass, Recusal
from .remark import Remark
from .report import Inquiry, Report, ReportAnswer
from .schedule import Schedule, ScheduleEnd
from .sensitivity import Sensitivity
from .sighting import Lookup, Proof, Sighting
from .submission import PublicFile, Submission, Withdrawal

__all__ = [
    "WITH_FILES",
    "Appeal",
    "AppealMessage",
    "Approval",
    "ArtistPage",
    "Assessment",
    "Claim",
    "Clock",
    "Comfort",
    "Consent",
    "ConsentedUse",
    "Decision",
    "Dismissal",
    "Flag",
    "Hearing",
    "Inquiry",
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
    "Report",
    "ReportAnswer",
    "Revocation",
    "Schedule",
    "ScheduleEnd",
    "Screening",
    "Sensitivity",
    "Sighting",
    "StaffCopy",
    "Submission",
    "Takedown",
    "Upholding",
    "Use",
    "Withdrawal",
]

# Whose rows name a file of the private store: generation's, and what is frozen here.
WITH_FILES = (*below.WITH_FILES, PublicFile)
