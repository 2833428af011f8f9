"""The silent second look: some decisions are seen by a second reviewer, who says what they would have decided.

Which ones, follows from the decision's id and the program's key, and is written nowhere: neither the first reviewer nor
anybody else can tell beforehand. To whom a look is open, the desk doesn't tell how it was decided, until somebody has
said what they think. It changes nothing for the clip.
"""

import hashlib
import hmac
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import audit
from accounts.permissions import can_review

from .models import Decision, Recusal, SecondLook, Submission, Takedown
from .models.policy import named
from .permissions import Conflict, NotAllowed, check_still_in

OPEN_FOR = timedelta(days=7)  # after the decision; then its room opens to all again


def is_chosen(decision_id: int) -> bool:
    """The same answer each time, for a share of all ids, and to be foretold by nobody without the key."""
    key = f"review.second_looks {settings.SECRET_KEY}".encode()
    drawn = hmac.digest(key, str(decision_id).encode(), hashlib.sha256)
    return int.from_bytes(drawn[:8], "big") < settings.SECOND_LOOK * 2**64


def open_to(viewer) -> list[int]:
    """Ids of the decisions that wait for this viewer's look, the oldest first; one query."""
    if not settings.SECOND_LOOK:
        return []
    return [pk for pk in _unseen(viewer).order_by("at", "pk").values_list("pk", flat=True) if is_chosen(pk)]


def hidden_from(viewer, *, artist) -> set:
    """Submissions of this artist of which the viewer shouldn't learn what became of them; one query."""
    if not settings.SECOND_LOOK:
        return set()
    unseen = _unseen(viewer).filter(submission__artist=artist).values_list("pk", "submission")
    return {submission for pk, submission in unseen if is_chosen(pk)}


def is_open(decision: Decision, viewer) -> bool:
    return is_chosen(decision.pk) and _unseen(viewer).filter(pk=decision.pk).exists()


def _unseen(viewer):
    """Lately decided by others, and told by nothing since: a new version or a takedown would tell the outcome."""
    submission = OuterRef("submission")
    newer = Submission.objects.filter(
        clip=OuterRef("submission__clip"), version__gt=OuterRef("submission__version")
    )
    told = (
        SecondLook.objects.filter(decision=OuterRef("pk")),
        Takedown.objects.filter(publication__approval__submission=submission),
        Recusal.objects.filter(by=viewer, submission__clip=OuterRef("submission__clip")),
        newer,
    )
    lately = Decision.objects.filter(
        at__gt=timezone.now() - OPEN_FOR, erased_at=None, submission__erased_at=None
    )
    found = lately.exclude(by=viewer).exclude(submission__artist=viewer)
    return found.filter(*(~Exists(each) for each in told))


@transaction.atomic
def say(submission: Submission, *, by, outcome: str, reasons: list[str] = (), note: str = "") -> SecondLook:
    """Records what somebody would have decided; sent twice, it is said once. Only the numbers change by it."""
    submission = Submission.objects.select_for_update().get(pk=submission.pk)
    check_still_in(by)
    decision = Decision.objects.select_related("second_look").get(submission=submission)
    policy = named(decision.policy_version)
    told = {
        "outcome": outcome,
        "reasons": " ".join(clause.code for clause in policy.clauses_of(list(reasons))),
        "note": note.strip(),
    }
    made = getattr(decision, "second_look", None)
    if made and made.by_id == by.pk and told == {name: getattr(made, name) for name in told}:
        return made
    check_can_look_again(decision, by)
    _check_says(outcome, told["reasons"])
    made = SecondLook.objects.create(decision=decision, by=by, policy_version=policy.name, **told)
    audit.record("submission.looked_again", by=by, subject=submission)
    return made


def check_can_look_again(decision: Decision, by) -> None:
    if not can_review(by):
        raise NotAllowed(_("Only reviewers take second looks."))
    if getattr(decision, "second_look", None):
        raise Conflict(_("This second look is taken already. Nothing of yours was recorded."))
    if not is_open(decision, by):
        raise Conflict(
            _(
                "This second look isn’t open to you any more. Its time is over, or something has told the outcome."
            )
        )


def _check_says(outcome: str, reasons: str) -> None:
    if outcome not in Decision.Outcome.values:
        raise NotAllowed(_("Say whether you would approve or refuse."))
    if (outcome == Decision.Outcome.REFUSE) != bool(reasons):
        raise NotAllowed(_("A refusal names at least one clause of the policy, and an approval none."))


def disagreements():
    """Second looks that came to another outcome than the decision, newest first, with what a list shows."""
    return (
        SecondLook.objects.exclude(outcome=F("decision__outcome"))
        .select_related("by", "decision__by", "decision__submission")
        .order_by("-pk")
    )
