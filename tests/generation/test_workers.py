"""Who takes what: a worker is given only what it can run, and a model's warm engine comes first, but never for long."""

import random
from datetime import timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from generation import attempts, queue, workers
from generation.models import Job, Seat, Worker
from generation.queue.claiming import PATIENCE
from tests import factories

from .claiming import finish
from .workers import job_of, worker_row

pytestmark = pytest.mark.django_db

CARD, MINI = "testcard", "embedded"
SECOND = timedelta(seconds=1)


def grow_older(by: timedelta) -> None:
    """As if that much time had passed on the database's clock."""
    Job.objects.update(created_at=F("created_at") - by)
    Seat.objects.update(last_served_at=F("last_served_at") - by)


def claim(**told):
    attempt = queue.claim_next("tests", **told)
    return attempt and attempt.job


# --- What it can run ----------------------------------------------------------------------------


def test_a_worker_never_takes_what_it_cannot_run(artist):
    waiting = job_of(artist, MINI)
    assert claim(runs=[CARD]) is None
    assert claim(runs=[]) is None
    assert claim(runs=[CARD, MINI]) == waiting


def test_a_member_s_own_takes_keep_their_order_among_those_that_a_worker_can_run(artist, settings):
    settings.MAX_RUNNING = 4
    mini, first, second = job_of(artist, MINI), job_of(artist, CARD), job_of(artist, CARD)
    assert [claim(runs=[CARD]) for _turn in range(3)] == [first, second, None]
    assert claim(runs=[MINI]) == mini


def test_who_needs_another_worker_blocks_nobody_behind():
    for _number in range(queue.LOOKS + 1):
        job_of(factories.member(), MINI)
    behind = job_of(factories.member(), CARD)
    assert claim(runs=[CARD]) == behind


def test_a_worker_is_not_woken_for_what_it_cannot_run(artist):
    job_of(artist, MINI)
    assert not queue.is_waiting([CARD])
    assert queue.is_waiting([MINI])
    assert queue.is_waiting()


def test_a_worker_works_on_what_its_machine_can_run_and_on_nothing_else(artist, settings):
    settings.WORKER_MODELS = [CARD]
    waiting, done = job_of(artist, MINI), job_of(artist, CARD)
    worker_row("tests")
    assert attempts.work("tests") == 1
    states = dict(Job.objects.values_list("pk", "status"))
    assert states == {waiting.pk: Job.Status.QUEUED, done.pk: Job.Status.SUCCEEDED}
    assert Worker.objects.get(name="tests").warm == CARD


# --- Who has it warm ----------------------------------------------------------------------------


def test_what_another_has_warm_is_left_to_it_for_some_seconds_and_then_taken(artist):
    waiting = job_of(artist, MINI)
    grow_older(PATIENCE - SECOND)
    assert claim(leaves=[MINI]) is None
    grow_older(SECOND)
    assert claim(leaves=[MINI]) == waiting


def test_patience_begins_when_a_member_was_last_served(artist):
    waiting = job_of(artist, MINI)
    grow_older(timedelta(hours=1))
    Seat.objects.filter(pk=artist.pk).update(last_served_at=Now() - PATIENCE + SECOND)
    assert claim(leaves=[MINI]) is None
    grow_older(SECOND)
    assert claim(leaves=[MINI]) == waiting


def test_what_is_left_to_another_holds_up_nobody_behind_but_its_owner_s_own_takes(artist):
    first = job_of(artist, MINI)
    job_of(artist, CARD)
    behind = job_of(factories.member(), CARD)
    assert claim(leaves=[MINI]) == behind
    assert claim(leaves=[MINI]) is None
    assert claim() == first


def test_a_worker_leaves_to_others_what_they_have_warm_while_they_are_there():
    worker_row("other", warm="other's")
    worker_row("gone", warm="gone's", live_until=timezone.now() - timedelta(milliseconds=1))
    worker_row("cold")
    worker_row("me", warm="mine")
    assert workers.Talk("me").warm_elsewhere("mine") == {"other's"}
    assert workers.Talk("me").warm_elsewhere("other's") == frozenset()
    assert workers.Talk("other").warm_elsewhere("") == {"mine"}


def test_a_worker_tells_what_it_loads_and_what_is_left_of_it_and_nothing_twice(django_assert_num_queries):
    worker_row("other", warm=MINI)
    worker_row("me", warm="of the one who had this name before")
    talk = workers.Talk("me")
    for told, queries in (("", 1), (CARD, 1), (CARD, 0), ("", 1)):
        with django_assert_num_queries(queries):
            talk.tell(told)
        assert Worker.objects.get(name="me").warm == told
    assert Worker.objects.get(name="other").warm == MINI


def test_a_worker_asks_about_the_others_once_a_second_at_most(monkeypatch, django_assert_num_queries):
    talk, clock = workers.Talk("me"), [10.0]
    monkeypatch.setattr(workers.time, "monotonic", lambda: clock[0])
    with django_assert_num_queries(1):
        assert talk.warm_elsewhere("") == frozenset()
    worker_row("other", warm=CARD)
    clock[0] += 0.9
    with django_assert_num_queries(0):
        assert talk.warm_elsewhere("") == frozenset()
    clock[0] += 0.2
    assert talk.warm_elsewhere("") == {CARD}


# --- Who is there -------------------------------------------------------------------------------


def test_a_worker_is_live_from_look_to_look_and_gone_after_some_that_it_missed(settings):
    settings.LOOK_EVERY = 4
    before = timezone.now()
    workers.seen(["a", "b"])
    for row in Worker.objects.all():
        assert before + timedelta(seconds=19) < row.live_until < timezone.now() + timedelta(seconds=21)
        assert tuple(row.runs) == workers.runs()
    assert Worker.objects.live().count() == 2
    Worker.objects.filter(name="a").update(live_until=Now())
    assert [row.name for row in Worker.objects.live()] == ["b"]


def test_a_hasty_worker_may_be_started_anew_without_being_missed(settings):
    settings.LOOK_EVERY = 1
    workers.seen(["a"])
    assert Worker.objects.get().live_until > timezone.now() + timedelta(seconds=14)


def test_a_look_changes_nothing_but_the_end(django_assert_num_queries):
    workers.seen(["a", "b"])
    workers.Talk("a").tell(CARD)
    Worker.objects.update(live_until=Now() + SECOND)
    started = dict(Worker.objects.values_list("name", "started_at"))
    with django_assert_num_queries(1):
        workers.seen(["a", "b"])
    assert dict(Worker.objects.values_list("name", "started_at")) == started
    assert dict(Worker.objects.values_list("name", "warm")) == {"a": CARD, "b": ""}
    assert not Worker.objects.filter(live_until__lt=Now() + 2 * SECOND).exists()


def test_who_takes_up_the_name_of_one_that_is_gone_has_nothing_warm():
    yesterday = timezone.now() - timedelta(days=1)
    worker_row("a", warm=CARD, started_at=yesterday, live_until=yesterday)
    worker_row("b", warm=CARD)
    workers.seen(["a", "b"])
    assert dict(Worker.objects.live().values_list("name", "warm")) == {"a": "", "b": CARD}
    assert Worker.objects.get(name="a").started_at > yesterday + timedelta(hours=23)


def test_who_ends_has_nothing_warm_and_stays_for_as_long_as_a_new_start_takes():
    worker_row("a", warm=CARD)
    worker_row("b", warm=CARD)
    workers.left(["a"])
    assert dict(Worker.objects.live().values_list("name", "warm")) == {"a": "", "b": CARD}


def test_rows_of_those_long_gone_are_tidied_away():
    for name, hours in (("long", 25), ("lately", 23)):
        worker_row(name, live_until=timezone.now() - timedelta(hours=hours))
    worker_row("here")
    assert workers.tidy() == 1
    assert set(Worker.objects.values_list("name", flat=True)) == {"lately", "here"}


# --- Two workers and two models, on a clock that only counts -------------------------------------


class Pair:
    """Each second somebody new asks for one of two models, by chance, and each take lasts three.

    Which of two idle workers looks first is chance, too.
    """

    def __init__(self, *, prefers: bool, seed: int = 7):
        self.prefers, self.chance = prefers, random.Random(seed)
        self.rows = [worker_row("one", warm=CARD), worker_row("other", warm=MINI)]
        self.running: dict[str, tuple] = {}  # by worker: its attempt, and for how many seconds more
        self.switches, self.waits, self.came = 0, [], {}

    def run(self, seconds: int) -> None:
        for now in range(seconds):
            if now % 2 == 0:
                for model in self.chance.sample([CARD, MINI], 2)[: 1 + (self.chance.random() < 0.1)]:
                    self.came[job_of(factories.member(), model).pk] = now
            began = timezone.now()
            for row in self.chance.sample(self.rows, 2):
                if row.name not in self.running:
                    self.ask(row, now)
            if len(self.running) < 2:
                self.check_patience(began)
            self.pass_a_second()

    def ask(self, row: Worker, now: int) -> None:
        leaves = workers.Talk(row.name).warm_elsewhere(row.warm) if self.prefers else ()
        if attempt := queue.claim_next(row.name, leaves=leaves):
            self.switches += row.warm != attempt.job.model
            row.warm = attempt.job.model
            workers.Talk(row.name).tell(row.warm)
            self.waits.append(now - self.came[attempt.job_id])
            self.running[row.name] = attempt, 3

    def pass_a_second(self) -> None:
        grow_older(SECOND)
        for name, (attempt, left) in list(self.running.items()):
            self.running[name] = attempt, left - 1
            if left == 1:
                assert finish(attempt)
                del self.running[name]

    def check_patience(self, began) -> None:
        """While somebody had nothing to do, nobody was passed over who had waited for as long as they may."""
        assert not Job.objects.queued().filter(created_at__lte=began - PATIENCE).exists()


def test_a_preference_for_what_is_warm_halves_the_switches_and_nobody_is_passed_over_beyond_patience():
    switches = []
    for prefers in (False, True):
        pair = Pair(prefers=prefers)
        pair.run(120)
        switches.append(pair.switches)
        print(
            f"prefers={prefers}: {pair.switches} switches in {len(pair.waits)} takes, longest wait {max(pair.waits)} s"
        )
        assert len(pair.waits) > 40
        for row in pair.rows:
            row.delete()
    assert switches[1] * 2 <= switches[0]


def test_a_worker_that_never_comes_for_what_it_has_warm_is_waited_for_no_longer_than_patience(artist):
    worker_row("hung", warm=MINI)
    waiting, waited = job_of(artist, MINI), 0
    while (found := claim(leaves=workers.Talk("tests").warm_elsewhere(CARD))) is None:
        grow_older(SECOND)
        waited += 1
        assert waited < 60
    assert (found, waited) == (waiting, PATIENCE.total_seconds())
