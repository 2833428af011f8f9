"""What has happened to a submission, told from its records, oldest first."""

from django.utils.translation import gettext as _

from accounts.timeline import Event

from .models import Submission


def events(submission: Submission, *, names: bool) -> list[Event]:
    """`names`: staff see who acted; artists and the public see in what role."""
    told = [Event(_("Submitted, version %(n)s") % {"n": submission.version}, submission.created_at)]
    told += _steps_aside(submission) if names else []
    if withdrawal := getattr(submission, "withdrawal", None):
        return [*told, Event(_("Withdrawn by the artist"), withdrawal.at)]
    if submission.content_hash is None:
        return [*told, _preparation(submission)]
    decision = getattr(submission, "decision", None)
    if decision is None:
        return [*told, Event(_("Waiting for a reviewer"), tone="now")]
    who = decision.by.name if names else _("a reviewer")
    if decision.is_approval:
        told.append(Event(_("Approved"), decision.at, "good", who, decision.note))
    else:
        return [*told, Event(_("Refused"), decision.at, "bad", who, decision.note)]
    publication = getattr(decision, "publication", None)
    if publication is None:
        return [*told, Event(_("Ready to be published by its artist"), tone="now")]
    told.append(Event(_("Published"), publication.published_at, "good"))
    if takedown := getattr(publication, "takedown", None):
        told.append(
            Event(_("Taken down"), takedown.at, "bad", _taker(submission, takedown, names), takedown.reason)
        )
    return told


def _preparation(submission: Submission) -> Event:
    preparation = submission.preparation
    if preparation.error:
        return Event(_("Its files could not be made"), preparation.ended_at, "bad", "", preparation.error)
    return Event(_("Its files are being made"), tone="now")


def _steps_aside(submission: Submission) -> list[Event]:
    """For staff alone: why a reviewer steps aside is no news to the artist."""
    passes = [
        Event(_("Passed on"), made.at, "", made.by.name, made.reason) for made in submission.passes.all()
    ]
    recusals = [
        Event(_("Recused"), made.at, "", made.by.name, made.reason) for made in submission.recusals.all()
    ]
    return sorted(passes + recusals, key=lambda event: event.when)


def _taker(submission, takedown, names: bool) -> str:
    if takedown.by_id == submission.artist_id:
        return _("the artist")
    return takedown.by.name if names else _("the program")
