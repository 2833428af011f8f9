"""HTTP for people: coming in, where to go first, and the rooms of those who run the program."""

from .auditing import audit, audit_verification
from .cohorts import cohort, cohort_allowance, cohort_new, cohorts
from .factors import factor_reset
from .home import home
from .invitation import invitation
from .invitations import (
    invitation_mail,
    invitation_new_link,
    invitation_page,
    invitation_revocation,
    invitations,
    refused_mails,
    test_mail,
)
from .inviting import batches, invite_many, invite_one
from .ledger import allowance, ledger, ledger_csv
from .members import (
    member,
    member_allowance,
    member_answer,
    member_cohort,
    member_ending,
    member_lift,
    member_role,
    member_suspension,
    members,
)
from .program import program, program_pause, program_resumption
from .sessions import sessions
from .standing import standing

__all__ = [
    "allowance",
    "audit",
    "audit_verification",
    "batches",
    "cohort",
    "cohort_allowance",
    "cohort_new",
    "cohorts",
    "factor_reset",
    "home",
    "invitation",
    "invitation_mail",
    "invitation_new_link",
    "invitation_page",
    "invitation_revocation",
    "invitations",
    "invite_many",
    "invite_one",
    "ledger",
    "ledger_csv",
    "member",
    "member_allowance",
    "member_answer",
    "member_cohort",
    "member_ending",
    "member_lift",
    "member_role",
    "member_suspension",
    "members",
    "program",
    "program_pause",
    "program_resumption",
    "refused_mails",
    "sessions",
    "standing",
    "test_mail",
]
