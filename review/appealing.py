"""An artist appeals, once; somebody who took no part hears it, writes to them, and dismisses or upholds it.

Upheld, the same words and the same files are opened as a new version, sealed and claimed for the hearer in the same
act, and decided through the gate like everything else. Each act locks the appealed submission's row first.
"""

import logging

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import audit
from accounts.permissions import can_review
from generation.models import Clip

from . import holding, news, preparing, queue
from .models import (
    Appeal,
    AppealMessage,
    Consent,
    Dismissal,
    Hearing,
    Milestone,
    PublicFile,
    Submission,
    Upholding,
)
from .parts import took_part
from .permissions import Conflict, NotAllowed, check_still_in

log = logging.getLogger(__name__)

Kind = Milestone.Kind


# --- Appealing ------------------------------------------------------------------------------------


def check_can_appeal(submission: Submission, by) -> None:
    if submission.artist_id != by.pk:
        raise NotAllowed(_("Only its artist appeals."))
    if hasattr(submission, "appeal"):
        raise Conflict(_("You have appealed already: an appeal is made once."))
    if submission.state not in ("refused", "taken-down"):
        raise Conflict(_("There is nothing to appeal: this was neither refused nor taken down."))
    if submission.state == "refused" and hasattr(submission, "upholding"):
        raise Conflict(
            _("This was decided on appeal already, by somebody else. You can submit a new version of it.")
        )
    if submission.state == "taken-down" and submission.decision.publication.takedown.by_id == by.pk:
        raise Conflict(_("You have taken this clip down yourself. Submit it again if you want it back."))
    later = Submission.objects.filter(clip=submission.clip_id, version__gt=submission.version)
    if later.filter(withdrawal=None).exists():
        raise Conflict(_("You have submitted a new version since: that one is what is decided on."))


def appeal(submission: Submission, *, by, text: str) -> Appeal:
    """The same words sent twice are one appeal."""
    text = text.strip()
    with transaction.atomic():
        submission = _locked(submission)
        Clip.objects.select_for_update().get(pk=submission.clip_id)  # as submitting a new version locks it
        check_still_in(by)
        same = Appeal.objects.filter(submission=submission, by=by, text=text).first()
        if same is not None:
            return same
        check_can_appeal(submission, by)
        refused = submission.state == "refused"
        due_at = timezone.now() + settings.APPEAL_DEADLINE
        made = Appeal.objects.create(
            submission=submission,
            refusal=submission.decision if refused else None,
            takedown=None if refused else submission.decision.publication.takedown,
            by=by,
            due_at=due_at,
            text=text,
        )
        Hearing.objects.create(appeal=made, due_at=due_at, rings_at=made.moment(Kind.REMINDER))
        audit.record("submission.appealed", by=by, subject=submission)  # its words are for who hears it
    return made


# --- Hearing --------------------------------------------------------------------------------------


def hearable_by(reviewer):
    """Hearings of open appeals that this reviewer could take up, the earliest deadline first; a query."""
    part = took_part(reviewer, OuterRef("appeal__submission__clip"))
    hearings = Hearing.objects.open().exclude(appeal__by=reviewer)
    return hearings.filter(~part).order_by("due_at", "appeal")


def check_can_hear(made: Appeal, by) -> None:
    if not can_review(by):
        raise NotAllowed(_("Only reviewers hear appeals."))
    if made.by_id == by.pk:
        raise NotAllowed(_("Nobody hears their own appeal."))
    if Submission.objects.filter(took_part(by.pk, OuterRef("clip")), pk=made.submission_id).exists():
        raise NotAllowed(
            _("You have had a part in this clip’s review: somebody who had none hears the appeal.")
        )
    check_is_open(made)


def check_is_open(made: Appeal) -> None:
    """Asked of the database: the appeal at hand may have been read before it ended."""
    if Dismissal.objects.filter(appeal=made).exists():
        raise Conflict(_("This appeal was dismissed meanwhile. Nothing of yours was recorded."))
    if Upholding.objects.filter(appeal=made).exists():
        raise Conflict(_("This appeal was upheld meanwhile. Nothing of yours was recorded."))


def claim(made: Appeal, *, by) -> None:
    check_can_hear(made, by)
    if not holding.claim(made.hearing, by=by):
        raise Conflict(_("Somebody else hears this appeal already."))


def _check_hears(made: Appeal, by) -> None:
    check_still_in(by)
    check_can_hear(made, by)
    holding.check_holds(made.hearing, by)


@transaction.atomic
def write(made: Appeal, *, by, text: str) -> AppealMessage:
    """A message to the other side; the same words twice in a row are one message."""
    _locked(made.submission)
    text = text.strip()
    last = AppealMessage.objects.filter(appeal=made).order_by("-pk").first()
    if last is not None and (last.by_id, last.text) == (by.pk, text):
        return last
    if by.pk == made.by_id:
        check_still_in(by)
        check_is_open(made)
    else:
        _check_hears(made, by)
        holding.renew(made.hearing)
    said = AppealMessage.objects.create(appeal=made, by=by, text=text)
    audit.record("submission.appeal_discussed", by=by, subject=made.submission)
    news.tell_of_appeal_message(said)
    return said


# --- Ending ---------------------------------------------------------------------------------------


@transaction.atomic
def dismiss(made: Appeal, *, by, note: str) -> Dismissal:
    """The act stands. Asked twice with the same words, it is dismissed once."""
    _locked(made.submission)
    note = note.strip()
    same = Dismissal.objects.filter(appeal=made, by=by, note=note).first()
    if same is not None:
        return same
    _check_hears(made, by)
    ended = Dismissal.objects.create(appeal=made, by=by, note=note)
    holding.close(made.hearing)
    audit.record("submission.appeal_dismissed", by=by, subject=made.submission, words=note)
    news.tell_of_dismissal(ended)
    return ended


@transaction.atomic
def uphold(made: Appeal, *, by) -> Submission:
    """Opens the same content as a new version, for its hearer to decide on; asked twice, it gives the same one."""
    appealed = _locked(made.submission)
    before = Upholding.objects.filter(appeal=made, by=by).select_related("submission").first()
    if before is not None:
        return before.submission
    Clip.objects.select_for_update().get(pk=appealed.clip_id)
    _check_hears(made, by)
    if not appealed.is_whole:
        raise Conflict(_("The words of this work were erased, so it can’t be opened again."))
    opened = _same_again(appealed)
    Upholding.objects.create(appeal=made, submission=opened, by=by)
    holding.close(made.hearing)
    audit.record("submission.appeal_upheld", by=by, subject=appealed)
    news.tell_of_upholding(made)
    if not queue.claim(opened, by=by):
        raise Conflict(_("What this appeal opens could not be claimed for you. Nothing was recorded."))
    return opened


def _same_again(appealed: Submission) -> Submission:
    """A new version of the same words and the same files, sealed in the same text: so it has the same content hash."""
    latest = appealed.clip.submissions.order_by("-version").first()
    words = ("clip_id", "artist_id", "title", "statement", "credit", "credits")
    words += ("discloses_recipe", "publish_on_approval")
    opened = Submission.objects.create(
        version=latest.version + 1, **{name: getattr(appealed, name) for name in words}
    )
    for held in Consent.objects.live().filter(submission=appealed).order_by("pk"):  # what still holds goes on
        Consent.objects.give(opened, held.use, by=appealed.artist)
    PublicFile.objects.bulk_create(
        PublicFile(
            submission=opened,
            kind=file.kind,
            sha256=file.sha256,
            size=file.size,
            content_type=file.content_type,
        )
        for file in appealed.files.order_by("pk")
    )
    preparing.seal(opened, content=appealed.content)
    audit.record("submission.sealed", by=None, subject=opened)
    return opened


# --- Deadlines ------------------------------------------------------------------------------------


def ring_due() -> int:
    """Tells what open appeals have passed of their time; returns how often. One transaction for each, told once."""
    due = Hearing.objects.open().filter(rings_at__lte=Now()).order_by("rings_at", "pk")
    rung = sum(_ring(pk) for pk in list(due.values_list("pk", flat=True)))
    if rung:
        log.info("appeals: %s reminders", rung)
    return rung


@transaction.atomic
def _ring(pk) -> int:
    found = Submission.objects.select_for_update(skip_locked=True).filter(appeal=pk).first()
    hearing = Hearing.objects.open().filter(pk=pk, rings_at__lte=Now()).annotate(read_at=Now()).first()
    if found is None or hearing is None:
        return 0
    made = hearing.appeal
    audit.lock()  # two sweeps at two appeals would each find that nobody was told yet
    ahead = [kind for kind in Kind if made.moment(kind) >= hearing.rings_at]
    passed = [kind for kind in ahead if made.moment(kind) <= hearing.read_at]
    for kind in passed:
        news.tell_of_appeal_milestone(made, kind)
    if Kind.OVERDUE in passed:
        audit.record("submission.appeal_overdue", by=None, subject=found)
    next_one = min((made.moment(kind) for kind in ahead if kind not in passed), default=None)
    Hearing.objects.filter(pk=pk).update(rings_at=next_one)
    return len(passed)


def _locked(submission: Submission) -> Submission:
    return Submission.objects.select_for_update().get(pk=submission.pk)
