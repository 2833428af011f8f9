"""The house in numbers, read from the database when somebody asks: true for all machines together, after any restart.

Each question is answered by an index or by a table that stays small; what history piles up is counted by the hour.
"""

import logging
from collections.abc import Iterator
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import Case, Count, Exists, F, Min, OuterRef, Q, Sum, Value, When
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from accounts.models import Invitation, Membership, pause
from accounts.models.exclusion import Suspension
from generation import storage
from generation.engine import catalog
from generation.models import Attempt, Job, Worker
from review import triggers
from review.models import Claim, Publication, Submission, Takedown

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)


class House(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            told = [family for ask in ASKED for family in ask()]
            up = 1
        except DatabaseError as error:
            log.warning("no gauges: the database says %s", type(error).__name__)
            told, up = [], 0
        yield _gauge("database_up", "Whether the database answered.", up)
        yield from told
        yield from _stores()


def _jobs():
    now = timezone.now()
    queued = Job.objects.queued().aggregate(count=Count("pk"), oldest=Min("created_at"))
    yield _gauge("jobs_queued", "Jobs that wait.", queued["count"])
    yield _gauge(
        "jobs_oldest_seconds", "How long the oldest of them has waited.", _age(now, queued["oldest"])
    )
    yield _gauge("jobs_running", "Jobs that a worker holds.", Job.objects.running().count())


def _attempts():
    held = Attempt.objects.filter(ended_at=None).aggregate(
        count=Count("pk"), lapsed=Count("pk", filter=Q(lease_until__lte=Now()))
    )
    yield _gauge("attempts_open", "Attempts under way.", held["count"])
    yield _gauge("attempts_lapsed", "Attempts whose worker fell silent, not yet taken over.", held["lapsed"])
    ended = (
        Attempt.objects.filter(ended_at__gt=timezone.now() - HOUR)
        .values("outcome")
        .annotate(count=Count("pk"), spent=Sum(F("ended_at") - F("started_at")))
        .order_by()
    )
    by_outcome = {row["outcome"]: row for row in ended}
    count = GaugeMetricFamily(
        "sorahub_attempts_hour", "Attempts that ended within the hour.", labels=["outcome"]
    )
    spent = GaugeMetricFamily("sorahub_attempts_hour_seconds", "What they took.", labels=["outcome"])
    for outcome in Attempt.Outcome.values:
        row = by_outcome.get(outcome)
        count.add_metric([outcome], row["count"] if row else 0)
        spent.add_metric([outcome], row["spent"].total_seconds() if row else 0)
    yield from (count, spent)


def _workers():
    live = list(Worker.objects.live().values_list("runs", flat=True))
    yield _gauge("workers", "Processes that make clips and were seen lately.", len(live))
    able = GaugeMetricFamily("sorahub_workers_able", "Those that can run a model.", labels=["model"])
    for model in sorted({model.id for model in catalog.offered()}.union(*live)):
        able.add_metric([model], sum(model in runs for runs in live))
    yield able


def _desk():
    now = timezone.now()
    waiting = Submission.objects.waiting().aggregate(
        count=Count("pk"),
        oldest=Min("created_at"),
        overdue=Count("pk", filter=Q(clock__due_at__lt=now, clock__paused_at=None)),
        asked=Count("pk", filter=Q(clock__paused_at__isnull=False)),
    )
    yield _gauge("submissions_waiting", "Submissions without a decision.", waiting["count"])
    yield _gauge(
        "submissions_oldest_seconds", "How long the oldest has waited.", _age(now, waiting["oldest"])
    )
    yield _gauge("submissions_overdue", "Those past the promised deadline.", waiting["overdue"])
    yield _gauge("submissions_asked", "Those whose clock waits for their artist's answer.", waiting["asked"])
    unsealed = Submission.objects.unsealed().aggregate(
        preparing=Count("pk", filter=Q(preparation__error="")),
        unprepared=Count("pk", filter=Q(preparation__error__gt="")),
        oldest=Min("preparation__asked_at", filter=Q(preparation__error="")),
    )
    yield _gauge("submissions_preparing", "Submissions whose files are being made.", unsealed["preparing"])
    yield _gauge(
        "submissions_preparing_oldest_seconds",
        "How long the oldest of these has waited.",
        _age(now, unsealed["oldest"]),
    )
    yield _gauge("submissions_unprepared", "Those whose files could not be made.", unsealed["unprepared"])
    yield _gauge("claims", "Claims in force.", Claim.objects.live().count())


def _public():
    yield _gauge(
        "publications_live", "Publications that anybody can see.", Publication.objects.live().count()
    )
    yield _gauge("takedowns", "Publications that were ended.", Takedown.objects.count())
    yield _gauge("gate_up", "Whether every trigger of the gate stands.", not triggers.missing_triggers())


def _people():
    suspended = Suspension.objects.in_force().filter(membership=OuterRef("pk"))
    counted = (
        Membership.objects.values(
            standing=Case(
                When(ending__isnull=False, then=Value("ended")),
                When(Exists(suspended), then=Value("suspended")),
                default=Value("active"),
            )
        )
        .annotate(count=Count("pk"))
        .order_by()
    )
    by_standing = {row["standing"]: row["count"] for row in counted}
    members = GaugeMetricFamily("sorahub_members", "Members by standing.", labels=["standing"])
    for standing in ("active", "suspended", "ended"):
        members.add_metric([standing], by_standing.get(standing, 0))
    yield members
    unsent = Invitation.objects.open().filter(mail_started_at__isnull=False, mailed_at=None).count()
    yield _gauge("mails_unsent", "Open invitations whose mail was begun and has not left.", unsent)
    yield _gauge("paused", "Whether the program is paused.", pause.current() is not None)


ASKED = (_jobs, _attempts, _workers, _desk, _public, _people)


def _stores():
    free = GaugeMetricFamily("sorahub_store_free_bytes", "Room left in a store.", labels=["store"])
    for name, store in (("private", storage.private), ("public", storage.public)):
        try:
            free.add_metric([name], store().free_bytes())
        except OSError as error:
            log.warning("no free bytes: the %s store says %s", name, type(error).__name__)
    yield free


def _gauge(name: str, words: str, value) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"sorahub_{name}", words, value=float(value))


def _age(now, then) -> float:
    return max((now - then).total_seconds(), 0.0) if then else 0.0
