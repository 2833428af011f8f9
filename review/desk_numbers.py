"""The desk's own numbers, for leads and admins: how much is decided, how fast, for which reasons, and how far we agree.

Counted by the database from the records of one period, each time anew. Times are those of the clocks: from the moment
that a submission reached the desk to its decision, without the pauses in which its artist was asked. The public numbers
are review.numbers', which also sees to it that nobody can be singled out; here names stand, so these pages are for few.
"""

import math
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import (
    Case,
    Count,
    DateTimeField,
    F,
    FloatField,
    Func,
    IntegerField,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from . import agreement, numbers
from .agreement import Agreement
from .models import Clock, Decision, SecondLook, Submission

DAYS = (30, 90)
FEW = 5  # decisions of one reviewer; of fewer, neither a share nor a time says anything
AGES = 4  # parts of the promised time, after which comes what is late


@dataclass(frozen=True)
class Period:
    name: str  # 30, 90, or a month
    begin: datetime
    end: datetime
    step: timedelta  # of the charts


@dataclass(frozen=True)
class Part:
    begin: datetime
    approvals: int
    refusals: int
    median: float | None  # seconds
    p95: float | None


@dataclass(frozen=True)
class Reviewer:
    name: str
    approvals: int
    refusals: int
    median: float | None

    @property
    def decisions(self) -> int:
        return self.approvals + self.refusals

    @property
    def is_few(self) -> bool:
        return self.decisions < FEW

    @property
    def refused_percent(self) -> int:
        return round(100 * self.refusals / self.decisions)


@dataclass(frozen=True)
class Numbers:
    period: Period
    approvals: int
    refusals: int
    median: float | None
    p95: float | None
    clauses: dict[str, int]  # refusals by the code of a clause; one may cite several
    parts: list[Part]
    reviewers: list[Reviewer]  # by name: this is no ranking
    waiting: list[int]  # by age: a number for each part of the promised time, and at last what is late
    asked: int  # whose clock stands still
    agreement: Agreement

    @property
    def decisions(self) -> int:
        return self.approvals + self.refusals


def period(name: str | None) -> Period:
    """The last 30 days, unless it is something else that there is."""
    now = timezone.now()
    if name in map(str, DAYS[1:]):
        return Period(name, now - timedelta(days=int(name)), now, timedelta(days=7.5))
    try:
        begin, end = numbers.bounds(name or "")
    except ValueError:
        return Period(str(DAYS[0]), now - timedelta(days=DAYS[0]), now, timedelta(days=3))
    return Period(f"{begin:%Y-%m}", begin, end, timedelta(days=3))


def count(asked: Period) -> Numbers:
    """As many queries, whatever there is to count."""
    begins = _begins(asked)
    decisions = (
        Decision.objects.filter(at__gte=asked.begin, at__lt=asked.end).annotate(part=_part(begins)).order_by()
    )
    people, cited = {}, Counter()
    for pk, name, outcome, reasons, many in _counted(decisions, "by", "by__name", "outcome", "reasons"):
        people.setdefault((name, pk), Counter())[outcome] += many
        cited.update(dict.fromkeys(reasons.split(), many))
    times = _times(decisions)
    return Numbers(
        asked,
        *_both(sum(people.values(), Counter())),
        *times.of(None),
        clauses=dict(cited),
        parts=_parts(begins, decisions, times),
        reviewers=[
            Reviewer(name, *_both(told), times.of(pk)[0])
            for (name, pk), told in sorted(people.items(), key=_by_name)
        ],
        waiting=_waiting(),
        asked=Clock.objects.paused().count(),
        agreement=agreement.of(_pairs(asked)),
    )


def _by_name(item) -> tuple:
    (name, pk), _told = item
    return name.casefold(), str(pk)


def _both(outcomes: Counter) -> tuple[int, int]:
    return outcomes[Decision.Outcome.APPROVE], outcomes[Decision.Outcome.REFUSE]


def _counted(decisions, *columns):
    return decisions.order_by().values_list(*columns).annotate(many=Count("pk"))


class Times:
    """How long decisions took, in seconds: of all, by reviewer, and by part of the period."""

    def __init__(self):
        self.groups: dict[object, list[float]] = {}

    def add(self, seconds: float, *groups) -> None:
        for group in groups:
            self.groups.setdefault(group, []).append(seconds)

    def of(self, group) -> tuple[float | None, float | None]:
        """(median, p95) by nearest rank, as review.numbers has it."""
        times = sorted(self.groups.get(group, ()))
        ranks = (math.ceil(len(times) * percent / 100) - 1 for percent in (50, 95))
        return tuple(times[rank] for rank in ranks) if times else (None, None)


def _times(decisions) -> Times:
    """A row for each decision, with one look at its clock: to have the database rank them in each group took several

    times as long.
    """
    found = Times()
    rows = decisions.values_list("by", "part", _seconds_taken())
    with _uncompiled():
        for by, part, seconds in rows.iterator(chunk_size=10_000):
            found.add(seconds, None, by, part)
    return found


@contextmanager
def _uncompiled():
    """PostgreSQL would make machine code of this question first, for longer than answering it takes."""
    if connection.vendor != "postgresql":
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL jit = off")
        yield


def _begins(asked: Period) -> list[datetime]:
    """Of the equal parts in which the charts tell it."""
    begins = [asked.begin]
    while begins[-1] + asked.step < asked.end:
        begins.append(begins[-1] + asked.step)
    return begins


def _part(begins: list[datetime]) -> Case:
    """Of a decision, its part's number."""
    cases = [When(at__lt=end, then=Value(number)) for number, end in enumerate(begins[1:])]
    return Case(*cases, default=Value(len(begins) - 1), output_field=IntegerField())


def _parts(begins: list[datetime], decisions, times: Times) -> list[Part]:
    outcomes: dict[int, Counter] = {}
    for number, outcome, many in _counted(decisions, "part", "outcome"):
        outcomes.setdefault(number, Counter())[outcome] = many
    return [
        Part(begin, *_both(outcomes.get(number, Counter())), *times.of(number))
        for number, begin in enumerate(begins)
    ]


def ages() -> list[float]:
    """Hours in which the parts of the promised time end."""
    return [settings.REVIEW_DEADLINE.total_seconds() / 3600 * number / AGES for number in range(1, AGES + 1)]


def _waiting() -> list[int]:
    """How many wait, by how much of their own promised time is over; one query."""
    now = timezone.now()
    left = Seconds(F("due_at"), Value(now, output_field=DateTimeField())) / Length(F("allowed"))
    is_late = Q(due_at__lte=now)
    counts = {}
    for number in range(AGES):
        least, most = 1 - (number + 1) / AGES, 1 - number / AGES
        # Who was promised more than is promised now has all of it left, and is young, too.
        within = Q(left__gt=least) if number == 0 else Q(left__gt=least, left__lte=most)
        counts[f"age{number}"] = Count("pk", filter=within & ~is_late)
    found = Clock.objects.running().annotate(left=left).aggregate(**counts, late=Count("pk", filter=is_late))
    return list(found.values())


def _pairs(asked: Period) -> dict[tuple[str, str], int]:
    looks = SecondLook.objects.filter(at__gte=asked.begin, at__lt=asked.end).order_by()
    told = looks.values_list("decision__outcome", "outcome").annotate(many=Count("pk"))
    return {(first, second): many for first, second, many in told}


# --- Time, as both databases count it -------------------------------------------------------------------


class Seconds(Func):
    """From the second moment to the first."""

    output_field = FloatField()
    arity = 2

    def as_postgresql(self, compiler, _connection, **more):
        words = "EXTRACT(EPOCH FROM (%(expressions)s))::double precision"
        return self.as_sql(compiler, _connection, template=words, arg_joiner=" - ", **more)

    def as_sqlite(self, compiler, _connection, **more):
        (end, end_values), (begin, begin_values) = map(compiler.compile, self.get_source_expressions())
        return f"((julianday({end}) - julianday({begin})) * 86400.0)", (*end_values, *begin_values)


class Length(Func):
    """Of a duration, in seconds."""

    output_field = FloatField()
    arity = 1

    def as_postgresql(self, compiler, _connection, **more):
        words = "EXTRACT(EPOCH FROM %(expressions)s)::double precision"
        return self.as_sql(compiler, _connection, template=words, **more)

    def as_sqlite(self, compiler, _connection, **more):  # Django keeps microseconds there
        return self.as_sql(compiler, _connection, template="(%(expressions)s / 1000000.0)", **more)


def _seconds_taken() -> Coalesce:
    """What a clock had run when it stopped: what was allowed, less what was left. Each pause has moved its deadline on.

    Decisions of an earlier version may have no clock; theirs is the time since the seal.
    """
    stood = Coalesce(F("paused_at"), F("stopped_at"))
    clock = Clock.objects.filter(submission=OuterRef("submission")).annotate(
        taken=Length(F("allowed")) - Seconds(F("due_at"), stood)
    )
    sealed = Submission.objects.filter(pk=OuterRef("submission")).annotate(
        taken=Seconds(OuterRef("at"), F("sealed_at"))
    )
    return Coalesce(Subquery(clock.values("taken")), Subquery(sealed.values("taken")))


# --- As a table -----------------------------------------------------------------------------------------

HEAD = ("figure", "of", "value")


def rows(told: Numbers):
    """One figure a line, for spreadsheets."""
    yield ["period", "begin", told.period.begin.isoformat()]
    yield ["period", "end", told.period.end.isoformat()]
    for name in ("decisions", "approvals", "refusals"):
        yield [name, "", getattr(told, name)]
    yield ["median_seconds", "", _whole(told.median)]
    yield ["p95_seconds", "", _whole(told.p95)]
    for code, many in sorted(told.clauses.items()):
        yield ["refused", code, many]
    for part in told.parts:
        begin = part.begin.isoformat()
        yield ["approvals_since", begin, part.approvals]
        yield ["refusals_since", begin, part.refusals]
        yield ["median_seconds_since", begin, _whole(part.median)]
        yield ["p95_seconds_since", begin, _whole(part.p95)]
    for hours, many in zip([*map(str, ages()), "late"], told.waiting, strict=True):
        yield ["waiting_until_hours" if hours != "late" else "waiting", hours, many]
    yield ["waiting", "for the artist’s answer", told.asked]
    for each in told.reviewers:
        yield ["decisions_by", each.name, each.decisions]
        yield ["refusals_by", each.name, each.refusals]
        yield ["median_seconds_by", each.name, "" if each.is_few else _whole(each.median)]
    yield ["second_looks", "", told.agreement.seen]
    yield ["second_looks_agreed", "", told.agreement.agreed]
    for name, ends in (("agreement", told.agreement.share), ("kappa", told.agreement.kappa)):
        for of, value in zip(("", "low", "high"), ends or ("", "", ""), strict=True):
            yield [name, of, value if value == "" else round(value, 4)]


def _whole(seconds: float | None):
    return "" if seconds is None else round(seconds)
