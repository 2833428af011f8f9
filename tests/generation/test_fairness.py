"""Nobody waits for somebody else's many jobs: real claims and real endings, on a clock that only counts.

Each job takes one unit of time. A round robin over m members with w workers starts everybody's first job within
(m - 1) / w units, whatever a single member has waiting; the product's promise is 1.1 times that.
"""

import random
from dataclasses import dataclass, field

import pytest
from django.db.models import OuterRef, Subquery

from generation import queue
from generation.models import Job
from generation.queue import claiming
from tests import factories

from .claiming import finish

pytestmark = pytest.mark.django_db

PROMISE = 1.1


@dataclass
class Line:
    """One member with many jobs and others with one each, who come at given moments."""

    many: int
    arrivals: list[int]
    workers: int
    clock: int = 0
    waits: list[int] = field(default_factory=list)
    served: list[tuple[int, object]] = field(default_factory=list)  # (moment, member), in order

    @property
    def bound(self) -> float:
        return len(self.arrivals) / self.workers

    def run(self) -> None:
        busy, running, came = factories.member(), [], {}
        coming = sorted(((moment, factories.member()) for moment in self.arrivals), key=lambda one: one[0])
        for _ in range(self.many):
            factories.job(busy)
        while len(self.waits) < len(self.arrivals):
            while coming and coming[0][0] <= self.clock:
                moment, member = coming.pop(0)
                came[factories.job(member).pk] = (moment, len(self.served))
            while len(running) < self.workers and (attempt := queue.claim_next("simulated")):
                running.append(attempt)
                if attempt.job_id in came:
                    moment, place = came[attempt.job_id]
                    self.waits.append(self.clock - moment)
                    meanwhile = [owner for _moment, owner in self.served[place:]]
                    assert len(meanwhile) == len(set(meanwhile)), "somebody was served twice while one waited"
                self.served.append((self.clock, attempt.job.owner_id))
            self.clock += 1
            for attempt in running:
                assert finish(attempt)
            running.clear()
        waiting = Job.objects.queued().filter(owner=busy).count()
        assert waiting + sum(owner == busy.pk for _moment, owner in self.served) == self.many


def check(settings, *, many: int, singles: int, workers: int, spread: int = 0) -> Line:
    settings.MAX_QUEUED, settings.MAX_RUNNING = many, workers
    moments = random.Random(many * workers + spread)
    line = Line(many, [moments.randint(0, spread) for _ in range(singles)], workers)
    line.run()
    print(
        f"{many} jobs of one member, {singles} members with one, {workers} workers, come within {spread}: "
        f"the longest wait was {max(line.waits)}, {max(line.waits) / line.bound:.2f} of the bound"
    )
    assert max(line.waits) <= PROMISE * line.bound
    return line


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("spread", [0, 8])
def test_nine_members_with_one_job_do_not_wait_for_somebody_s_thirty(settings, workers, spread):
    check(settings, many=30, singles=9, workers=workers, spread=spread)


def test_the_simulation_sees_unfairness(settings, monkeypatch):
    """First come, first served: the many jobs came first, and the bound is broken."""
    asked = Job.objects.queued().filter(owner=OuterRef("pk")).order_by("created_at").values("created_at")[:1]
    monkeypatch.setattr(claiming, "in_turn", lambda seats: seats.order_by(Subquery(asked)))
    with pytest.raises(AssertionError):
        check(settings, many=30, singles=9, workers=1, spread=0)


@pytest.mark.soak
@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("spread", [0, 60])
def test_ninety_nine_members_with_one_job_do_not_wait_for_somebody_s_thousand(settings, workers, spread):
    check(settings, many=1000, singles=99, workers=workers, spread=spread)
