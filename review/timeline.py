"""What has happened to a submission, told from its records, oldest first."""

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from accounts.timeline import Event

from .models import Appeal, Assessment, Milestone, Question, Sensitivity, Submission

# What a history is told from, in a query each, however many versions a page shows.
OF_ARTISTS = (Prefetch("questions", Question.objects.told()), "milestones", "flags")
OF_STAFF = (
    *OF_ARTISTS,
    *("passes__by", "recusals__by"),
    Prefetch("sensitivities", Sensitivity.objects.told()),
    Prefetch("assessments", Assessment.objects.told()),
)
OF_APPEAL = ("appeal__dismissal__by", "appeal__upholding__by", "upholding__by")  # to be selected with it


def events(submission: Submission, *, names: bool) -> list[Event]:
    """`names`: staff see who acted; artists and the public see in what role."""
    is_opened = hasattr(submission, "upholding")
    begun = _("Opened by an appeal, version %(n)s") if is_opened else _("Submitted, version %(n)s")
    told = [Event(begun % {"n": submission.version}, submission.created_at)]
    told += sorted(_on_the_way(submission, names), key=lambda event: event.when)
    if withdrawal := getattr(submission, "withdrawal", None):
        return [*told, Event(_("Withdrawn by the artist"), withdrawal.at)]
    if submission.content_hash is None:
        return [*told, _preparation(submission)]
    decision = getattr(submission, "decision", None)
    if decision is None:
        is_asked = submission.open_question is not None
        words = _("Waiting for the artist’s answer") if is_asked else _("Waiting for a reviewer")
        return [*told, Event(words, tone="now")]
    who = decision.by.name if names else _("a reviewer")
    if decision.is_approval:
        told.append(Event(_("Approved"), decision.at, "good", who, decision.note))
    else:
        told.append(Event(_("Refused"), decision.at, "bad", who, decision.note))
        return told + _appeal(submission, names)
    publication = getattr(decision, "publication", None)
    if publication is None:
        return [*told, Event(_("Ready to be published by its artist"), tone="now")]
    told.append(Event(_("Published"), publication.published_at, "good"))
    if takedown := getattr(publication, "takedown", None):
        told.append(
            Event(_("Taken down"), takedown.at, "bad", _taker(submission, takedown, names), takedown.reason)
        )
        told += _appeal(submission, names)
    return told


def _appeal(submission: Submission, names: bool) -> list[Event]:
    appeal: Appeal | None = getattr(submission, "appeal", None)
    if appeal is None:
        return []
    told = [Event(_("Appealed"), appeal.at)]
    if ended := getattr(appeal, "dismissal", None):
        told.append(Event(_("Appeal dismissed"), ended.at, "bad", ended.by.name if names else "", ended.note))
    elif upheld := getattr(appeal, "upholding", None):
        told.append(Event(_("Appeal upheld"), upheld.at, "good", upheld.by.name if names else ""))
    else:
        told.append(Event(_("Waiting for the appeal to be heard"), tone="now"))
    return told


def _preparation(submission: Submission) -> Event:
    preparation = submission.preparation
    if preparation.error:
        return Event(_("Its files could not be made"), preparation.ended_at, "bad", "", preparation.error)
    return Event(_("Its files are being made"), tone="now")


def _on_the_way(submission: Submission, names: bool) -> list[Event]:
    """What came before the decision. Why a reviewer steps aside, and who was reminded, is no news to the artist."""
    told = [*_questions(submission, names), *_milestones(submission, names)]
    return [*told, *_steps_aside(submission), *_of_two(submission)] if names else told


def _questions(submission: Submission, names: bool):
    for question in submission.questions.all():
        who = question.by.name if names else _("a reviewer")
        yield Event(_("Asked the artist; the clock pauses"), question.at, "", who, question.text)
        if reply := getattr(question, "reply", None):
            yield Event(_("The artist answered; the clock goes on"), reply.at, "", "", reply.text)


def _milestones(submission: Submission, names: bool):
    for milestone in submission.milestones.all():
        if milestone.kind == Milestone.Kind.OVERDUE:
            yield Event(_("Past its deadline"), milestone.at, "bad")
        elif names:
            yield Event(milestone.get_kind_display(), milestone.at)


def _steps_aside(submission: Submission) -> list[Event]:
    passes = [
        Event(_("Passed on"), made.at, "", made.by.name, made.reason) for made in submission.passes.all()
    ]
    recusals = [
        Event(_("Recused"), made.at, "", made.by.name, made.reason) for made in submission.recusals.all()
    ]
    return passes + recusals


def _of_two(submission: Submission):
    """Of a reviewer who marks it and assesses it, the name would tell who has; so it is told after the decision."""
    decision = getattr(submission, "decision", None)
    for mark in submission.sensitivities.all():
        is_sensitive = mark.kind == Sensitivity.Kind.SENSITIVE
        words = _("Marked as sensitive") if is_sensitive else _("Marked as criticism of the program")
        yield Event(words, mark.at, "", mark.by.name if mark.by and decision else mark.who, mark.why)
    for said in submission.assessments.all() if decision else ():
        if said.by_id != decision.by_id:  # whose own word the decision is
            words = _("Assessed, for approving it") if said.is_approval else _("Assessed, for refusing it")
            yield Event(words, said.at, "", said.by.name, said.note)


def _taker(submission, takedown, names: bool) -> str:
    if takedown.by_id == submission.artist_id:
        return _("the artist")
    return takedown.by.name if names else _("the program")
