"""The records of `accounts`; each file holds one noun."""

from .allowance import AllowanceEntry
from .audit import AuditEntry, AuditHead
from .exclusion import Answer, Ending, Lift, Objection, Suspension
from .factors import FactorReset
from .invitation import Invitation
from .membership import Cohort, Membership, RoleChange
from .notice import Notice
from .pause import Pause, Resumption
from .user import User

__all__ = [
    "AllowanceEntry",
    "Answer",
    "AuditEntry",
    "AuditHead",
    "Cohort",
    "Ending",
    "FactorReset",
    "Invitation",
    "Lift",
    "Membership",
    "Notice",
    "Objection",
    "Pause",
    "Resumption",
    "RoleChange",
    "Suspension",
    "User",
]
