"""What people did is told in words: every act that the code records, and none that it doesn't."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from accounts.acts import WORDS, told
from accounts.models import AuditEntry, audit, grants
from accounts.models.exclusion import suspend
from accounts.models.invitation import invite
from tests import factories

PROJECT = Path(__file__).resolve().parents[2]
CALL = re.compile(
    r"""audit\.record(?:_all)?\(\s*f?"([a-z]+\.)([a-z_-]+)?(?:\{'([a-z]+)' if [^}]+ else '([a-z]+)'\})?\""""
)
NOTIFIED = re.compile(r'send_notification_mail\(\s*"(?:account|mfa)/email/([a-z_]+)"')


def sources(folder: Path) -> str:
    return "\n".join(path.read_text() for path in sorted(folder.rglob("*.py")))


def test_every_recorded_act_has_words_and_no_words_are_left_over():
    ours = "\n".join(sources(PROJECT / name) for name in ("accounts", "generation", "review", "sorahub"))
    acts = {start + end for start, *ends in CALL.findall(ours) for end in ends if end}
    assert len(acts) > 25
    mails = {f"account.{name}" for name in NOTIFIED.findall(sources(Path(str(files("allauth")))))}
    named_elsewhere = {grants.TO_MEMBER, grants.TO_COHORT}
    assert acts | named_elsewhere <= set(WORDS)
    assert set(WORDS) <= acts | named_elsewhere | mails


@pytest.mark.django_db
def test_entries_lead_to_the_member_the_invitation_and_the_cohort():
    admin, artist = factories.member("admin"), factories.member(name="Ada Lovelace")
    suspension = suspend(artist.membership, by=admin, reason="Because.")
    invitation, _link = invite("new@example.com", role="artist", cohort="First", by=admin)
    audit.record("cohort.changed", by=admin, subject=artist.membership.cohort)
    audit.record("an.unknown_act", by=None, subject=suspension)
    shown = told(AuditEntry.objects.order_by("-sequence")[:4])
    assert [(entry.words_of_act, entry.name, entry.link) for entry in shown] == [
        ("an.unknown_act", f"suspension:{suspension.pk}", None),
        ("Changed a cohort", "First", f"/program/cohorts/{artist.membership.cohort_id}/"),
        ("Invited somebody", "new@example.com", f"/program/invitations/{invitation.pk}/"),
        ("Suspended a member", "Ada Lovelace", f"/program/members/{artist.pk}/"),
    ]
