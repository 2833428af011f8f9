"""What an artist is told of the workers: refused at once what none can run, a line beside the button, a line while one
waits.
"""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from accounts.models import pause
from generation import outlook, queue, workers
from generation.engine import catalog
from generation.models import Attempt, Job, Seat, Worker
from tests import factories

from .claiming import claims, finish
from .workers import job_of, worker_row

pytestmark = pytest.mark.django_db

CARD, MINI = "testcard", "embedded"
ASKED = {"model": CARD, "aspect": "1:1", "duration": "1", "steps": "8", "takes": "1"}
SENT = ASKED | {"prompt": "a test card", "guidance": "3"}
REFUSED = "No worker here can run Test card right now."


@pytest.fixture
def studio(login, artist):
    return login(artist)


def told(studio, **changes) -> str:
    answer = studio.get("/studio/forecast/", ASKED | changes)
    assert answer.status_code == 200
    return " ".join(answer.text.split())


# --- Refused at once ----------------------------------------------------------------------------


def test_what_no_worker_can_run_is_refused_with_a_sentence_and_the_form_kept(studio, artist):
    worker_row("gone", live_until=timezone.now() - timedelta(milliseconds=1))
    worker_row("other", runs=[MINI])
    answer = studio.post("/studio/jobs/", SENT | {"prompt": "kept words"})
    assert answer.status_code == 503
    assert REFUSED in answer.text
    assert "kept words" in answer.text
    assert not Job.objects.exists()
    assert "kept words" in studio.get("/studio/").text  # as a draft
    assert (
        studio.post("/studio/jobs/", SENT | {"model": MINI, "steps": "", "duration": ""}).status_code == 302
    )


def test_while_no_worker_is_up_at_all_a_take_is_accepted(studio):
    worker_row("gone", runs=[MINI], live_until=timezone.now() - timedelta(milliseconds=1))
    assert studio.post("/studio/jobs/", SENT).status_code == 302


def test_one_worker_that_can_is_enough(artist):
    worker_row("other", runs=[MINI])
    with pytest.raises(queue.Unserved):
        job_of(artist, CARD)
    worker_row("able", runs=[CARD, MINI])
    assert job_of(artist, CARD)


def test_the_same_form_sent_again_finds_its_take_whoever_has_left_meanwhile(studio):
    form = SENT | {"form_key": "0b1c8a2e-0b1c-4a2e-8b1c-0b1c8a2e0b1c"}
    first = studio.post("/studio/jobs/", form)
    worker_row("other", runs=[MINI])
    again = studio.post("/studio/jobs/", form)
    assert (first.status_code, again.status_code, first.url) == (302, 302, again.url)


def test_a_take_that_was_accepted_waits_through_the_absence_of_its_worker(artist):
    waiting = job_of(artist, CARD)
    (attempt,) = claims()
    worker_row("other", runs=[MINI])
    assert queue.give_up(attempt, retry=True)
    assert queue.claim_next("other", runs=[MINI]) is None
    waiting.refresh_from_db()
    assert waiting.status == Job.Status.QUEUED
    assert queue.claim_next("able", runs=[CARD]).job == waiting


# --- The page of what waits ---------------------------------------------------------------------


def test_the_page_of_a_waiting_take_says_whom_it_waits_for(studio, artist):
    page = f"/studio/jobs/{job_of(artist, CARD).pk}/"
    absent, unable = "No worker is up just now:", "No worker here can run its model just now:"
    assert absent in studio.get(page).text
    other = worker_row("other", runs=[MINI])
    answer = studio.get(page).text
    assert unable in answer
    assert absent not in answer
    other.runs = [CARD]
    other.save()
    answer = studio.get(page).text
    assert absent not in answer
    assert unable not in answer


# --- Beside the button --------------------------------------------------------------------------


def test_the_studio_asks_for_the_forecast_without_what_was_written(studio):
    page = studio.get("/studio/").text
    assert 'hx-get="/studio/forecast/"' in page
    assert 'hx-params="model,aspect,duration,steps,takes"' in page


def test_the_forecast_says_how_long_and_what_comes_first(studio, artist):
    worker_row("able", warm=CARD)
    assert 0 < catalog.estimate_seconds(factories.recipe()) < 0.5
    assert told(studio) == "About 1 second once it starts. Yours would be next."
    for waiting in (1, 2):
        job_of(factories.member(), CARD)
        job_of(artist, CARD)
        words = "2 takes are" if waiting == 1 else "4 takes are"
        assert told(studio) == f"About 1 second once it starts. {words} before yours."


def test_one_take_that_comes_first_is_told_as_one(studio, artist):
    worker_row("able", warm=CARD)
    Seat.objects.create(owner=artist, last_served_at=timezone.now())
    job_of(factories.member(), CARD)
    assert told(studio).endswith("1 take is before yours.")


def test_recent_takes_of_the_model_tell_the_time_by_what_the_settings_ask(studio, artist):
    worker_row("able", warm=CARD)
    for seconds in (6, 10, 400):
        job = job_of(artist, CARD)
        finish(claims()[0])
        Job.objects.filter(pk=job.pk).update(finished_at=F("started_at") + timedelta(seconds=seconds))
    assert told(studio).startswith("About 10 seconds once it starts.")
    assert told(studio, takes="3").startswith("About 10 seconds for each, once they start.")
    assert told(studio, steps="16").startswith("About 20 seconds once it starts.")
    assert told(studio, duration="2", aspect="3:2").startswith("About 30 seconds once it starts.")
    assert not told(studio, model=MINI, steps="", duration="").startswith("About 10 seconds")


def test_a_model_that_is_nowhere_warm_has_to_be_loaded_first(studio):
    worker_row("gone", warm=CARD, live_until=timezone.now() - timedelta(milliseconds=1))
    cold = worker_row("cold", warm=MINI)
    assert told(studio).endswith("The model has to be loaded first.")
    Worker.objects.filter(pk=cold.pk).update(warm=CARD)
    assert told(studio).endswith("Yours would be next.")


def test_the_forecast_says_that_nobody_is_there_and_what_nobody_can_run(studio):
    assert told(studio).endswith("No worker is up just now: it begins when one is back.")
    worker_row("other", runs=[MINI])
    assert told(studio) == f"<strong>{REFUSED} Choose another model, or try again later.</strong>"


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "no-such-model"},
        {"steps": "9999"},
        {"steps": "many"},
        {"steps": "9" * 40},
        {"aspect": "7:1"},
        {"duration": "0"},
        {"takes": "5"},
        {"takes": "\0"},
    ],
)
def test_there_is_no_forecast_for_what_the_form_would_refuse(studio, wrong):
    assert told(studio, **wrong) == ""


def test_nobody_asks_for_a_forecast_during_a_pause(studio):
    pause.pause(by=None)
    assert told(studio) == ""


def test_a_forecast_needs_nothing_and_takes_no_words(studio):
    assert studio.get("/studio/forecast/").status_code == 200
    assert "secret" not in told(studio, prompt="secret words")


def test_a_forecast_is_kept_nowhere_and_is_for_members(studio, login):
    assert "no-store" in studio.get("/studio/forecast/", ASKED)["Cache-Control"]
    assert login().get("/studio/forecast/").status_code == 302
    assert studio.post("/studio/forecast/", ASKED).status_code == 405


def test_a_model_that_the_cohort_does_not_use_has_no_forecast(studio, artist):
    cohort = artist.membership.cohort
    cohort.model_ids = [MINI]
    cohort.save()
    assert told(studio) == ""


def test_a_forecast_costs_the_same_whatever_waits(studio, artist, django_assert_num_queries):
    worker_row("able")
    studio.get("/studio/forecast/", ASKED)
    with django_assert_num_queries(7):
        told(studio)
    for _number in range(20):
        job_of(factories.member(), CARD)
    with django_assert_num_queries(7):
        told(studio)


def test_the_forecast_counts_what_the_queue_then_serves_first():
    """For members who were served at different times, or never, with or without takes of their own waiting."""
    members = [factories.member() for _number in range(5)]
    for number, member in enumerate(members[:4]):
        for _take in range(number % 3):
            job_of(member, CARD)
    start = timezone.now() - timedelta(hours=1)
    for number, member in enumerate(members[:3]):
        Seat.objects.update_or_create(
            owner=member, defaults={"last_served_at": start + timedelta(minutes=(number * 2) % 5)}
        )
    for member in members:
        before = outlook.forecast(member, factories.recipe()).before
        job = job_of(member, CARD)
        assert outlook.position(job) == before + 1
        Job.objects.filter(pk=job.pk).delete()
    assert not Attempt.objects.exists()


def test_a_member_who_was_never_here_comes_first_or_in_a_fixed_order():
    served = factories.member()
    job_of(served, CARD)
    Seat.objects.update(last_served_at=timezone.now() - timedelta(days=9))
    assert outlook.forecast(factories.member(), factories.recipe()).before == 0


def test_a_service_is_told_by_who_can_and_not_by_who_is_there():
    assert workers.service_of(CARD) == workers.Service.ABSENT
    worker_row("other", runs=[MINI], warm=MINI)
    assert workers.service_of(CARD) == workers.Service.UNABLE
    worker_row("able", runs=[CARD, MINI], warm=MINI)
    assert workers.service_of(CARD) == workers.Service.COLD
    worker_row("warm", runs=[CARD], warm=CARD)
    assert workers.service_of(CARD) == workers.Service.WARM
