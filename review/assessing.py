"""Where it takes two people: what each of them says, apart from the other, and when that is enough for a decision.

Nothing of it is told to other reviewers before the decision, nor ever of what was withdrawn. Two who agree decide; the
second of them is its author, and where the first two differ, a third agrees with one of them.
"""

import json
from dataclasses import dataclass

from django.db.models import Exists, F, Func, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import audit
from accounts.permissions import reviewers

from . import content_warnings, sensitivity
from .models import Assessment, Claim, Recusal, Sensitivity, Submission

ENOUGH = 2  # people who agree


def assess(submission: Submission, said: dict, said_of_frames: list[dict]) -> Assessment | None:
    """For the gate, which has checked what is said and holds the submission's row.

    Records it where that takes two people and this isn't enough yet: then the clip goes back to the others, and the
    clock runs on. None tells the gate to decide; the author's own assessment, where one is needed, is then recorded.
    """
    if not sensitivity.takes_two(submission, said["outcome"]):
        return None
    made = Assessment.objects.create(
        submission=submission, **said, said_of_frames=json.dumps(said_of_frames) if said_of_frames else ""
    )
    alike = counting(submission).filter(outcome=made.outcome, content_hash=made.content_hash)
    if alike.count() >= ENOUGH:
        return None
    Claim.objects.filter(submission=submission).delete()
    audit.record("submission.assessed", by=made.by, subject=submission)  # how, the decision's record tells
    return made


def agreed_warning(submission: Submission, said: dict) -> dict:
    """What visitors are warned of, by all who agree: each kind that one of them named, and their last one's line.

    As the columns of a Decision, from what its author says.
    """
    alike = counting(submission).filter(outcome=said["outcome"], content_hash=said["content_hash"])
    named = list(alike.order_by("at", "pk").values_list("warning_kinds", "warning_line"))
    kinds = {kind for each, _line in [*named, (said["warning_kinds"], "")] for kind in each.split()}
    lines = [line for line in [*(line for _kinds, line in named), said["warning_line"]] if line]
    return {"warning_kinds": content_warnings.written(kinds), "warning_line": lines[-1] if lines else ""}


def counting(submission: Submission):
    """The assessments that count: not of somebody who has recused themselves since, as the database holds, too."""
    recused = Recusal.objects.filter(submission__clip=submission.clip_id, by=OuterRef("by"))
    return Assessment.objects.filter(~Exists(recused), submission=submission)


@dataclass(frozen=True)
class Told:
    """What the room says to one person of a submission that takes two."""

    marks: list[Sensitivity]
    takes_two: bool  # for every decision, and not only for a refusal
    place: (
        int | None
    )  # theirs among those who say something, from 1; None where that would tell what another one said
    mine: Assessment | None
    both: list[Assessment]  # once it is decided: until then nobody sees what another one has said


def told(submission: Submission, *, viewer) -> Told:
    """Of a submission that was read with the prefetches of `timeline.OF_STAFF`."""
    marks, said = list(submission.sensitivities.all()), list(submission.assessments.all())
    takes_two = any(each.kind == Sensitivity.Kind.SENSITIVE for each in marks)
    mine = next((each for each in said if each.by_id == viewer.pk), None)
    is_open = submission.state == "waiting"
    # Of what is only marked as criticism, nobody but who would refuse it is recorded before it is decided.
    place = 1 + counting(submission).count() if takes_two and is_open and not mine else None
    is_decided = hasattr(submission, "decision")
    return Told(marks, takes_two, place, mine if is_open else None, said if is_decided else [])


def with_marks(submissions):
    """Adds `is_sensitive` and `is_criticism`, in the same query, for however many."""
    marks = Sensitivity.objects.filter(submission=OuterRef("pk"))
    kind = Sensitivity.Kind
    return submissions.annotate(
        is_sensitive=Exists(marks.filter(kind=kind.SENSITIVE)),
        is_criticism=Exists(marks.filter(kind=kind.CRITICISM)),
    )


def marked(submissions):
    """Those that take two people, for every decision or for a refusal."""
    return submissions.filter(Exists(Sensitivity.objects.filter(submission=OuterRef("pk"))))


def short_of_people():
    """What waits, takes two people, and can't get them: too few are left who may assess it. A query.

    For an approval of what is marked as criticism one person is enough, but whoever looks at it must be free to refuse.
    """
    recused = Recusal.objects.filter(submission__clip=OuterRef(OuterRef("clip")), by=OuterRef("user"))
    assessed = Assessment.objects.filter(submission=OuterRef(OuterRef("pk")), by=OuterRef("user"))
    left = reviewers().exclude(user=OuterRef("artist")).filter(~Exists(recused), ~Exists(assessed))
    not_counting = Recusal.objects.filter(submission__clip=OuterRef("submission__clip"), by=OuterRef("by"))
    said = Assessment.objects.filter(~Exists(not_counting), submission=OuterRef("pk"))
    waiting = marked(Submission.objects.waiting())
    waiting = waiting.annotate(left=_number_of(left), said=_number_of(said))
    return waiting.filter(Q(left=0) | Q(left__lt=ENOUGH - F("said")))


def _number_of(rows) -> Coalesce:
    counted = rows.order_by().annotate(number=Func(F("pk"), function="COUNT")).values("number")
    return Coalesce(Subquery(counted), Value(0))
