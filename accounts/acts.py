"""The audit log as people read it: each act in words, and the way to the member, invitation or cohort it is about."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .models import AuditEntry, Cohort, Invitation, Membership

WORDS = {
    "account.email_changed": _("Changed their e-mail address"),
    "account.email_deleted": _("Removed an e-mail address"),
    "account.other_sessions_ended": _("Ended their other sessions"),
    "account.password_changed": _("Changed their password"),
    "account.password_reset": _("Chose a new password by mail"),
    "account.password_set": _("Set a password"),
    "account.recovery_codes_generated": _("Made new recovery codes"),
    "account.session_ended": _("Ended one of their sessions"),
    "account.totp_activated": _("Set up an authenticator app"),
    "account.totp_deactivated": _("Removed their authenticator app"),
    "account.webauthn_added": _("Added a passkey"),
    "account.webauthn_removed": _("Removed a passkey"),
    "allowance.granted": _("Granted GPU seconds to a member"),
    "clip.deleted": _("Deleted a clip"),
    "cohort.changed": _("Changed a cohort"),
    "cohort.created": _("Made a cohort"),
    "cohort.granted": _("Granted GPU seconds to a cohort"),
    "house.restored": _("Restored from a backup"),
    "invitation.accepted": _("Accepted an invitation"),
    "invitation.created": _("Invited somebody"),
    "invitation.mail_retried": _("Tried a refused mail again"),
    "invitation.renewed": _("Renewed an invitation"),
    "invitation.revoked": _("Took an invitation back"),
    "job.cancelled": _("Cancelled a take"),
    "job.deleted": _("Removed a take"),
    "member.answered": _("Answered an objection"),
    "member.ended": _("Ended a membership"),
    "member.factors_reset": _("Removed a member’s second factors"),
    "member.moved": _("Moved a member to another cohort"),
    "member.objected": _("Objected to a suspension"),
    "member.role_changed": _("Changed a member’s role"),
    "member.suspended": _("Suspended a member"),
    "member.suspension_lifted": _("Lifted a suspension"),
    "model.license_acknowledged": _("Acknowledged a model’s license"),
    "picture.vouched": _("Vouched for a picture"),
    "policy.changed": _("Made a new version of the policy"),
    "program.paused": _("Paused the program"),
    "program.resumed": _("Let the program go on"),
    "publication.created": _("Published a clip"),
    "publication.taken_down": _("Took a clip down"),
    "submission.answered": _("Answered a reviewer’s question"),
    "submission.approved": _("Approved a submission"),
    "submission.asked": _("Asked an artist a question"),
    "submission.created": _("Submitted a clip"),
    "submission.handed_over": _("Handed a claim over to another reviewer"),
    "submission.looked_again": _("Took a second look at a decision"),
    "submission.overdue": _("A submission passed its deadline"),
    "submission.passed_on": _("Passed on a submission"),
    "submission.recused": _("Stepped aside from a submission"),
    "submission.refused": _("Refused a submission"),
    "submission.sealed": _("Finished preparing a submission"),
    "submission.withdrawn": _("Withdrew a submission"),
}


def in_words(act: str) -> str:
    """An act of an older or a newer version is told by its name."""
    return str(WORDS.get(act, act))


def told(entries: Iterable[AuditEntry]) -> list[AuditEntry]:
    """The entries, each with its act in `words_of_act`, what it is about as `name`, and a `link` where that has a page.

    One query for each kind that occurs, however many entries there are.
    """
    entries = list(entries)
    asked = [entry.subject.partition(":")[::2] for entry in entries]
    pages = {
        (kind, str(row.pk)): row
        for kind, rows in _PAGES.items()
        for row in rows({pk for k, pk in asked if k == kind})
    }
    for entry, key in zip(entries, asked, strict=True):
        entry.words_of_act = in_words(entry.act)
        entry.name, entry.link = _page(pages[key]) if key in pages else (entry.subject, None)
    return entries


_PAGES = {
    "membership": lambda pks: Membership.objects.filter(pk__in=pks).select_related("user"),
    "invitation": lambda pks: Invitation.objects.filter(pk__in=pks).only("email"),
    "cohort": lambda pks: Cohort.objects.filter(pk__in=pks),
}


def _page(row) -> tuple[str, str]:
    match row:
        case Membership():
            return row.user.name, reverse("member", args=[row.user_id])
        case Invitation():
            return row.email, reverse("program_invitation", args=[row.pk])
        case Cohort():
            return row.name, reverse("cohort", args=[row.pk])
