"""The records of `accounts`; each file holds one noun."""

from .audit import AuditEntry, AuditHead
from .invitation import Invitation
from .membership import Cohort, Membership
from .user import User

__all__ = ["AuditEntry", "AuditHead", "Cohort", "Invitation", "Membership", "User"]
