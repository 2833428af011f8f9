"""Who has had a part in a clip's review, and so who can still judge it afresh: asked of the database, in one place.

An appeal is heard by somebody who took no part. What it opens, when it is upheld, its hearer decides: nobody else is
offered it, unless the hearer may review no more, recused themselves, or let its deadline pass. Then it is open to
everybody who took no part before.
"""

from django.db.models import Exists, OuterRef, Q

from accounts.permissions import reviewers

from .models import Assessment, Decision, Dismissal, Milestone, Pass, Question, Recusal, Takedown, Upholding

# Every record by which somebody has a part in a submission, and the way there; review.rules.appeals has them in SQL.
PARTS = (
    (Decision, "submission"),
    (Assessment, "submission"),
    (Question, "submission"),
    (Pass, "submission"),
    (Recusal, "submission"),
    (Takedown, "publication__approval__submission"),
    (Dismissal, "appeal__submission"),
    (Upholding, "appeal__submission"),
)


def took_part(who, clip, **of_submission) -> Q:
    """Condition: `who` had a part in this clip. Both are keys, or references out of a subquery.

    `of_submission` narrows it to some versions, such as version__lt=3.
    """
    found = Q()
    for record, way in PARTS:
        narrowed = {f"{way}__{name}": value for name, value in of_submission.items()}
        found |= Q(Exists(record.objects.filter(by=who, **{f"{way}__clip": clip}, **narrowed)))
    return found


def is_anothers(who, submission) -> Exists:
    """Condition: an appeal opened this submission, and `who` is not whom it waits for."""
    outer = OuterRef(who) if isinstance(who, OuterRef) else who  # one subquery further in
    opened = Upholding.objects.filter(~Q(by=who), submission=submission)
    earlier = {"version__lt": OuterRef("submission__version")}
    return Exists(opened.filter(_hearer_can() | took_part(outer, OuterRef("submission__clip"), **earlier)))


def _hearer_can() -> Q:
    """Whoever upheld can still decide on what that opened."""
    recused = Recusal.objects.filter(by=OuterRef("by"), submission__clip=OuterRef("submission__clip"))
    late = Milestone.objects.filter(submission=OuterRef("submission"), kind=Milestone.Kind.OVERDUE)
    assessed = Assessment.objects.filter(by=OuterRef("by"), submission=OuterRef("submission"))
    left = (recused, late, assessed)  # where it takes two people, the other one comes after the hearer
    return Q(Exists(reviewers().filter(user=OuterRef("by"))), *(~Q(Exists(each)) for each in left))


def impartial(members, submission):
    """Those of these memberships who could decide on this submission: a query."""
    recused = Recusal.objects.filter(submission__clip=submission.clip_id).values("by")
    others = members.exclude(user=submission.artist_id).exclude(user__in=recused)
    return others.filter(~is_anothers(OuterRef("user"), submission.pk))


def uninvolved(members, submission):
    """Those of these memberships who could hear an appeal about this submission: a query."""
    others = members.exclude(user=submission.artist_id)
    return others.filter(~took_part(OuterRef("user"), submission.clip_id))
