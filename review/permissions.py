"""Who may do what at the gate, as pairs: `check_x` raises a sentence, `can_x` answers yes or no.

The checks before publishing and taking down are the gate's own; these are the ones that pages ask too.
"""

from django.utils.translation import gettext as _

from .models import Submission


class NotAllowed(Exception):
    """An act that can't be done now, with a sentence that the person in front of it can act on."""


class Conflict(NotAllowed):
    """The world has changed since the page was shown: another decision, other content, a lapsed claim."""


def check_can_submit(clip, by) -> None:
    if clip.owner_id != by.pk:
        raise NotAllowed(_("Only the artist who made a clip can submit it."))
    latest = clip.submissions.order_by("-version").select_related("decision", "withdrawal").first()
    if latest is None or latest.state in ("withdrawn", "refused", "taken-down"):
        return
    raise Conflict(
        {
            "waiting": _("This clip is already waiting for a reviewer."),
            "approved": _("This clip is approved already: publish it from its submission's page."),
            "published": _("This clip is public already."),
        }[latest.state]
    )


def check_can_withdraw(submission: Submission, by) -> None:
    if submission.artist_id != by.pk:
        raise NotAllowed(_("Only the artist can withdraw a submission."))
    if submission.state != "waiting":
        raise Conflict(_("It is too late to withdraw this: it has been decided or withdrawn already."))


def check_can_decide(submission: Submission, by, *, content_hash: str) -> None:
    if submission.artist_id == by.pk:
        raise NotAllowed(_("Nobody decides on their own clip."))
    if submission.state == "withdrawn":
        raise Conflict(_("The artist has withdrawn this clip meanwhile. There is nothing left to decide."))
    if submission.state != "waiting":
        raise Conflict(_("Somebody has decided on this clip already. Your decision was not recorded."))
    if submission.content_hash != content_hash or not submission.is_whole:
        raise Conflict(_("This page showed another version of the clip. Reload it and look again."))
    claim = getattr(submission, "claim", None)
    if claim is None or claim.reviewer_id != by.pk or not claim.is_live:
        raise Conflict(_("Your claim on this clip has ended. Claim it again from the desk."))


def allows(check, *args, **kwargs) -> bool:
    """The `can_x` of a `check_x`: asks without acting."""
    try:
        check(*args, **kwargs)
    except NotAllowed:
        return False
    return True
