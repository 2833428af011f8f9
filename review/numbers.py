"""The program's own numbers by month, as /transparency/, its CSV and `manage.py transparency` tell them.

They are counted from the records, each in the month in which it was made (UTC). A month that is over is counted once
and kept; the present one stands in the shared cache for a few minutes. Nothing here may single out a person: `told`
sees to that.
"""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db.models import Count, DurationField, ExpressionWrapper, F, Q
from django.utils import timezone

from accounts.models.audit import AuditHead

from .clauses import FIRST, Clause
from .models import (
    Appeal,
    Decision,
    Dismissal,
    Month,
    PolicyClause,
    Report,
    Submission,
    Takedown,
    Withdrawal,
)

EDITION = 2  # of what is counted: one more with each new figure, and kept months are counted anew
FEWER = 5  # counts of clauses below this, and times of fewer decisions, could single out a person
GRACE = timedelta(hours=1)  # after a month's end: acts that began in it are committed by then
FRESH = 300  # seconds after which the present month is counted anew
COUNTING = 60  # seconds after which another visitor tries, if the one who counts never ends
KEPT = 3600  # seconds that old numbers may stand in for the new ones while they are counted
SHOWN = 24  # months on the page; the CSV has all
_KEY = "review.numbers"


def all_told() -> dict:
    """What the public gets, newest month first. From FRESH seconds on one visitor counts anew; meanwhile the others get

    what there was, so that no crowd counts at once.
    """
    found = cache.get(_KEY)
    is_old = found is None or timezone.now() - found["at"] > timedelta(seconds=FRESH)
    if found is None or (is_old and cache.add(f"{_KEY}.counting", True, COUNTING)):
        head = AuditHead.objects.filter(pk=1).first() or AuditHead()
        found = {
            "months": [told(each) for each in reversed(_by_month())],
            "clauses": every_clause(),
            "head": {"sequence": head.sequence, "hash": head.entry_hash},
            "at": timezone.now(),
        }
        cache.set(_KEY, found, KEPT)
        cache.delete(f"{_KEY}.counting")
    return found


def told(figures: dict) -> dict:
    """A month's figures as anybody may see them; what could single out a person is None, or missing from `clauses`.

    That one of few refusals was for hatred, say, could be pinned on somebody who is known to have been refused. So
    small counts are withheld, and none alike, for the difference would tell. Of the present month no clause is
    told at all: who looks twice would see which one the refusal in between has named.
    """
    over = is_over(figures["month"])
    few = figures["approvals"] + figures["refusals"] < FEWER
    shown = {code: count for code, count in figures["clauses"].items() if over and count >= FEWER}
    times = {name: None if few else figures[name] for name in ("median", "p95")}
    return {**figures, **times, "clauses": shown, "is_over": over}


def count(month: str) -> dict:
    """Counted from the records, whatever is kept; durations are seconds from the artist's click to the decision."""
    begin, end = bounds(month)
    then = {"at__gte": begin, "at__lt": end}
    decisions = Decision.objects.filter(**then)
    refused = decisions.filter(outcome=Decision.Outcome.REFUSE)
    outcomes = decisions.aggregate(
        approvals=Count("pk", filter=Q(outcome=Decision.Outcome.APPROVE)),
        refusals=Count("pk", filter=Q(outcome=Decision.Outcome.REFUSE)),
        # Upheld, and then approved: an appeal that only opened it again has overturned nothing yet.
        overturns=Count(
            "pk", filter=Q(outcome=Decision.Outcome.APPROVE, submission__upholding__isnull=False)
        ),
    )
    took = ExpressionWrapper(F("at") - F("submission__created_at"), output_field=DurationField())
    times = sorted(decisions.values_list(took, flat=True).iterator(chunk_size=10_000))
    # Most refusals cite the same few combinations: the database counts those, and here they are taken apart.
    cited: Counter[str] = Counter()
    for reasons, many in refused.values_list("reasons").annotate(many=Count("pk")):
        cited.update(dict.fromkeys(reasons.split(), many))
    return {
        "month": month,
        "submissions": Submission.objects.filter(created_at__gte=begin, created_at__lt=end).count(),
        "withdrawn": Withdrawal.objects.filter(**then).count(),
        **outcomes,
        "takedowns": Takedown.objects.filter(**then).count(),
        "appeals": Appeal.objects.filter(**then).count(),
        "dismissals": Dismissal.objects.filter(**then).count(),
        "reports": Report.objects.filter(**then).count(),
        "median": _percentile(times, 50),
        "p95": _percentile(times, 95),
        "clauses": dict(sorted(cited.items())),
    }


def _percentile(times: list[timedelta], percent: int) -> int | None:
    """By nearest rank: one of the times themselves, so that every database and every reader gets the same."""
    return round(times[math.ceil(len(times) * percent / 100) - 1].total_seconds()) if times else None


def _by_month() -> list[dict]:
    kept = {each.name: each.figures for each in Month.objects.filter(edition=EDITION)}
    return [kept.get(name) or (keep(name) if is_over(name) else count(name)) for name in months()]


def keep_finished() -> None:
    """For the daily tidying, so that no visitor waits for it."""
    kept = set(Month.objects.filter(edition=EDITION).values_list("name", flat=True))
    for name in months():
        if name not in kept and is_over(name):
            keep(name)


def keep(month: str) -> dict:
    figures = count(month)
    made = {"edition": EDITION, "figures": figures, "counted_at": timezone.now()}
    Month.objects.update_or_create(name=month, defaults=made)
    return figures


def months() -> list[str]:
    """From the first submission's month to the present one."""
    first = Submission.objects.order_by("created_at").values_list("created_at", flat=True).first()
    now = timezone.now()
    begin = first or now
    many = 12 * (now.year - begin.year) + now.month - begin.month
    counted = (12 * begin.year + begin.month - 1 + n for n in range(max(many, 0) + 1))
    return [f"{n // 12:04}-{n % 12 + 1:02}" for n in counted]


def bounds(month: str) -> tuple[datetime, datetime]:
    """When it begins, and when the next one does. Raises ValueError for what is no month."""
    begin = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return begin, (begin + timedelta(days=32)).replace(day=1)


def is_over(month: str) -> bool:
    return bounds(month)[1] + GRACE <= timezone.now()


def every_clause() -> list[Clause]:
    """Each code that was ever in the policy, with its latest title, in the order in which they came."""
    found = {clause.code: clause for clause in FIRST.clauses}
    rows = PolicyClause.objects.order_by("version", "place").values_list("code", "title", "text")
    return list((found | {code: Clause(code, title, text) for code, title, text in rows}).values())


# --- As a table ------------------------------------------------------------------------------------------

COLUMNS = (
    *("month", "submissions", "withdrawn", "approvals", "refusals", "takedowns"),
    *("appeals", "overturns", "dismissals", "reports", "median", "p95"),
)


def head(clauses: list[Clause]) -> tuple[str, ...]:
    named = ("median_seconds", "p95_seconds")
    return (*COLUMNS[:-2], *named, *(f"refused:{clause.code}" for clause in clauses))


def row(figures: dict, clauses: list[Clause]) -> list:
    """A month as the CSV has it; where a number is withheld, what is known of it."""
    cells = ["" if figures[name] is None else figures[name] for name in COLUMNS]
    none = (f"fewer than {FEWER}" if figures["refusals"] else 0) if figures["is_over"] else ""
    return cells + [figures["clauses"].get(clause.code, none) for clause in clauses]
