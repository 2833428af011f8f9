"""HTTP for people: coming in, and where to go first; and for the admins who run the program."""

from .factors import factor_reset
from .home import home
from .invitation import invitation
from .invitations import (
    invitation_mail,
    invitation_new_link,
    invitation_page,
    invitation_revocation,
    invitations,
    test_mail,
)
from .inviting import batches, invite_many, invite_one
from .program import program
from .sessions import sessions
from .standing import standing

__all__ = [
    "batches",
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
    "program",
    "sessions",
    "standing",
    "test_mail",
]
