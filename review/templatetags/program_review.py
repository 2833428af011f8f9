"""What review tells on the admins' pages: numbers and states, never a title and never a clip."""

from django import template
from django.db.models import Count, Q

from .. import assessing
from ..models import Decision, Hearing, Inquiry, Submission

register = template.Library()

LATEST = 5
_LIVE = Q(decision__publication__isnull=False)
_ENDED = Q(decision__publication__takedown__isnull=False)
_UNSEALED = Q(content_hash=None, withdrawal=None)
_FAILED = Q(preparation__error__gt="")
STATES = {  # as Submission.state has them, to be counted by the database
    "preparing": _UNSEALED & ~_FAILED,
    "unprepared": _UNSEALED & _FAILED,
    "waiting": Q(decision=None, withdrawal=None, content_hash__isnull=False),
    "withdrawn": Q(withdrawal__isnull=False),
    "refused": Q(decision__outcome=Decision.Outcome.REFUSE),
    "approved": Q(decision__outcome=Decision.Outcome.APPROVE) & ~_LIVE,
    "published": _LIVE & ~_ENDED,
    "taken-down": _ENDED,
}
WITH_OUTCOME = ("withdrawal", "preparation", "decision__publication__takedown")


@register.inclusion_tag("review/_program_desk.html")
def desk_in_numbers() -> dict:
    unsealed = Submission.objects.unsealed()
    return {
        "waiting": Submission.objects.waiting().count(),
        "short": assessing.short_of_people().count(),
        "appeals": Hearing.objects.open().count(),
        "reported": Inquiry.objects.open().count(),
        **unsealed.aggregate(preparing=Count("pk", filter=~_FAILED), unprepared=Count("pk", filter=_FAILED)),
    }


@register.inclusion_tag("review/_program_submissions.html")
def submissions_of(member) -> dict:
    mine = Submission.objects.filter(artist=member)
    counts = mine.aggregate(**{state: Count("pk", filter=condition) for state, condition in STATES.items()})
    decided = dict(Decision.objects.filter(by=member).values_list("outcome").annotate(count=Count("pk")))
    latest = mine.select_related(*WITH_OUTCOME).order_by("-created_at", "-pk")
    return {
        "counts": [(state, count) for state, count in counts.items() if count],
        "latest": latest[:LATEST],
        "approved": decided.get(Decision.Outcome.APPROVE, 0),
        "refused": decided.get(Decision.Outcome.REFUSE, 0),
    }
