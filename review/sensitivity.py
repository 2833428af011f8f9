"""What takes two people to decide, and who says so: a rule, a machine flag or a reviewer. Nobody takes it back.

A mark asks for more eyes and does nothing else: it refuses nothing, stops no clock and frees no claim.
"""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User, audit

from .models import Decision, Sensitivity, Submission
from .permissions import NotAllowed, check_can_mark, check_still_in
from .rules.pairs import MOST_WHY

Kind, Source = Sensitivity.Kind, Sensitivity.Source


@transaction.atomic
def mark(submission: Submission, *, kind: str, why: str, source: str, by: User | None = None) -> Sensitivity:
    """Returns the mark of this kind by this source; where there is one already, that one, in its own words.

    May be called within a transaction that holds the submission's row: refused, it leaves that transaction whole.
    `by` is the reviewer, and None for rules and machines, whose `why` is cut to what fits. Raises Conflict for what
    isn't sealed yet, or is over.
    """
    submission = Submission.objects.select_for_update().get(pk=submission.pk)
    if by is not None:
        check_still_in(by)
    check_can_mark(submission, by)
    made = Sensitivity.objects.filter(submission=submission, kind=kind, source=source).first()
    if made is None:
        why = why.strip()[:MOST_WHY]
        if not why:
            raise NotAllowed(_("Say why: the other reviewers will read it."))
        made = Sensitivity.objects.create(submission=submission, kind=kind, source=source, by=by, why=why)
        audit.record("submission.marked", by=by, subject=submission, words=f"{kind}: {why}")
    return made


def takes_two(submission: Submission, outcome: str) -> bool:
    """Of what is marked as sensitive, every decision; of what is marked as criticism, a refusal."""
    marks = Sensitivity.objects.filter(submission=submission)
    return (marks if outcome == Decision.Outcome.REFUSE else marks.filter(kind=Kind.SENSITIVE)).exists()


def unmarked(submission: Submission) -> list[str]:
    """The kinds that a reviewer's mark would still make a difference with; of one that is `told` with its marks."""
    marks = submission.sensitivities.all()
    kinds = {each.kind for each in marks}
    return [] if Kind.SENSITIVE in kinds else [kind for kind in Kind if kind not in kinds]
