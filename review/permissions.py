"""Who may do what at the gate, as pairs: `check_x` raises a sentence, `can_x` answers yes or no.

The checks before publishing and taking down are the gate's own; these are the ones that pages ask too.
"""

from django.utils.translation import gettext as _

from accounts.models import exclusion
from accounts.permissions import can_lead, can_review, reviewers

from .models import Appeal, Assessment, Claim, Question, Recusal, Submission
from .parts import impartial, is_anothers


class NotAllowed(Exception):
    """An act that can't be done now, with a sentence that the person in front of it can act on."""


class Conflict(NotAllowed):
    """The world has changed since the page was shown: another decision, other content, a lapsed claim."""


def check_still_in(by) -> None:
    """Asked anew under the lock of an act: a suspension may have come since this person's request began."""
    if exclusion.kept_out().filter(user=by.pk).exists():
        raise NotAllowed(_("Your membership is suspended or has ended."))


def check_can_submit(clip, by) -> None:
    if clip.owner_id != by.pk:
        raise NotAllowed(_("Only the artist who made a clip can submit it."))
    latest = (
        clip.submissions.order_by("-version").select_related("decision", "withdrawal", "preparation").first()
    )
    if latest is None or latest.state in ("withdrawn", "refused", "taken-down"):
        _check_is_not_appealed(clip)
        return
    raise Conflict(
        {
            "preparing": _("This clip is already being prepared for a reviewer."),
            "unprepared": _(
                "This clip's files could not be made. On its submission's page, try again or withdraw it."
            ),
            "waiting": _("This clip is already waiting for a reviewer."),
            "approved": _("This clip is approved already: publish it from its submission's page."),
            "published": _("This clip is public already."),
        }[latest.state]
    )


def _check_is_not_appealed(clip) -> None:
    """Upheld, an appeal opens the clip's next version itself."""
    if Appeal.objects.filter(submission__clip=clip, dismissal=None, upholding=None).exists():
        raise Conflict(_("Your appeal about this clip is being heard. Submit a new version when it is over."))


def check_can_withdraw(submission: Submission, by) -> None:
    if submission.artist_id != by.pk:
        raise NotAllowed(_("Only the artist can withdraw a submission."))
    if submission.state not in ("preparing", "unprepared", "waiting"):
        raise Conflict(_("It is too late to withdraw this: it has been decided or withdrawn already."))


def check_can_prepare_again(submission: Submission, by) -> None:
    if submission.artist_id != by.pk:
        raise NotAllowed(_("Only the artist can have a submission prepared again."))
    if submission.state != "unprepared":
        raise Conflict(_("There is nothing to prepare again: its files are made, or it was withdrawn."))


def check_can_decide(submission: Submission, by, *, content_hash: str) -> None:
    _check_is_not_too_close(submission, by)
    if submission.state == "withdrawn":
        raise Conflict(_("The artist has withdrawn this clip meanwhile. There is nothing left to decide."))
    if submission.state != "waiting":
        raise Conflict(_("Somebody has decided on this clip already. Nothing of yours was recorded."))
    if submission.content_hash != content_hash or not submission.is_whole:
        raise Conflict(_("This page showed another version of the clip. Reload it and look again."))
    if has_assessed(submission, by):
        raise Conflict(
            _(
                "You have assessed this clip already, and it waits for another person. Nothing more was recorded."
            )
        )
    check_is_not_anothers(submission, by)
    check_holds(submission, by)


def check_is_not_anothers(submission: Submission, by) -> None:
    if Submission.objects.filter(is_anothers(by.pk, submission.pk), pk=submission.pk).exists():
        raise NotAllowed(
            _("An appeal opened this version: whoever heard it decides, or else somebody new to it.")
        )


def check_holds(submission: Submission, by) -> None:
    """Asked of the database, not of a row read earlier: it knows who may still review, and what time has passed."""
    found = Claim.objects.live().filter(submission=submission)
    claim = found.select_related("reviewer", "handed_by").first()
    if claim is not None and claim.reviewer_id != by.pk:
        if claim.handed_from_id == by.pk:
            raise Conflict(told_of_handover(claim))
        raise Conflict(_("Your claim on this clip has ended, and somebody else has claimed it meanwhile."))
    if claim is None:
        raise Conflict(_("Your claim on this clip has ended. Claim it again to go on."))


def told_of_handover(claim: Claim) -> str:
    """For whoever held the claim before."""
    who = {"lead": claim.handed_by.name, "name": claim.reviewer.name}
    if claim.handed_by_id == claim.reviewer_id:
        return _("%(lead)s, a lead, has taken this clip over from you. Nothing of yours was sent.") % who
    return _("%(lead)s, a lead, has handed this clip over to %(name)s. Nothing of yours was sent.") % who


def check_can_hand_over(submission: Submission, by, *, to) -> Claim:
    """Returns the claim that would change hands. To whom is asked of the database: roles change meanwhile."""
    if not can_lead(by):
        raise NotAllowed(_("Only leads hand claims over."))
    _check_is_not_too_close(submission, by)
    if submission.state != "waiting":
        raise Conflict(_("This clip is decided or withdrawn already. There is nothing to hand over."))
    if submission.sensitivities.exists():  # whether or not anybody has: else that it is refused would tell
        raise Conflict(
            _(
                "This clip takes two people. To whom it can go would tell who has assessed it: nobody hands it over."
            )
        )
    claim = Claim.objects.live().filter(submission=submission).select_related("reviewer").first()
    if claim is None:
        raise Conflict(_("Nobody holds this clip any more: it is back at the desk."))
    if not reviewers().filter(user=to.pk).exists():
        raise Conflict(_("They may not review, so nothing can be handed over to them."))
    if submission.artist_id == to.pk:
        raise Conflict(_("It is their own clip: somebody else decides on it."))
    if is_recused(submission, to):
        raise Conflict(_("They have recused themselves from this clip: somebody else decides on it."))
    if not impartial(reviewers().filter(user=to.pk), submission).exists():
        raise Conflict(
            _("An appeal opened this version: whoever heard it decides, or else somebody new to it.")
        )
    return claim


def check_can_pass(submission: Submission, by) -> None:
    """Only what one holds can be given back."""
    check_can_decide(submission, by, content_hash=submission.content_hash)


def check_can_ask(submission: Submission, by) -> None:
    """Only who could decide now asks, and one question at a time: the artist must know which one holds things up."""
    if not can_review(by):
        raise NotAllowed(_("Only reviewers ask the artist."))
    check_can_decide(submission, by, content_hash=submission.content_hash)
    if Question.objects.open().filter(submission=submission).exists():
        raise Conflict(_("A question to the artist is open already. Ask the next one when it is answered."))


def check_can_reply(question: Question | None, by, *, submission: Submission) -> None:
    if submission.artist_id != by.pk:
        raise NotAllowed(_("Only the artist answers a reviewer’s question."))
    if submission.state == "withdrawn":
        raise Conflict(_("You have withdrawn this clip: nobody waits for an answer any more."))
    if submission.state not in ("preparing", "unprepared", "waiting"):
        raise Conflict(_("This clip has been decided meanwhile, so the question is settled."))
    if question is None or hasattr(question, "reply"):
        raise Conflict(_("There is no open question here: it was answered already, or none was asked."))


def check_can_mark(submission: Submission, by) -> None:
    """`by`: None where a rule or a machine marks. It takes no claim: whoever sees it may ask for more eyes."""
    if by is not None:
        if not can_review(by):
            raise NotAllowed(_("Only reviewers say that a clip takes two people."))
        _check_is_not_too_close(submission, by)
    if submission.state != "waiting":
        raise Conflict(_("This clip doesn’t wait for a decision, so nobody else is asked to look at it."))


def check_can_recuse(submission: Submission, by) -> None:
    """A conflict of interest may show before the claim, but not after the decision."""
    if not can_review(by):
        raise NotAllowed(_("Only reviewers recuse themselves."))
    _check_is_not_too_close(submission, by)
    if submission.state != "waiting":
        raise Conflict(_("This clip is decided or withdrawn already. There is nothing to step aside from."))


def _check_is_not_too_close(submission: Submission, by) -> None:
    if submission.artist_id == by.pk:
        raise NotAllowed(_("Nobody decides on their own clip."))
    if is_recused(submission, by):
        raise NotAllowed(_("You have recused yourself from this clip: somebody else decides on it."))


def is_recused(submission: Submission, by) -> bool:
    """A recusal holds for every version of the clip: what stood between them is still there."""
    return Recusal.objects.filter(submission__clip=submission.clip_id, by=by).exists()


def has_assessed(submission: Submission, by) -> bool:
    return Assessment.objects.filter(submission=submission, by=by).exists()


def allows(check, *args, **kwargs) -> bool:
    """The `can_x` of a `check_x`: asks without acting."""
    try:
        check(*args, **kwargs)
    except NotAllowed:
        return False
    return True
