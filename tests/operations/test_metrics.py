"""Who is told the house's numbers, which is one asker with a token, and that the numbers are true and cheap."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from accounts.models import exclusion, pause
from accounts.models.invitation import invite
from generation import queue
from generation.models import Attempt, Job
from review import gate, sealing, triggers
from review import queue as desk
from review.models import Clock, Preparation
from tests import factories

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-operators-own"
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def prometheus(settings):
    settings.METRICS_TOKEN = TOKEN
    return Client(headers={"Authorization": f"Bearer {TOKEN}"}, raise_request_exception=False)


def told(client) -> dict[str, float]:
    """Sample name, with its labels' values if it has any -> value."""
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        " ".join([sample.name.removeprefix("sorahub_"), *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


# --- Who is told ----------------------------------------------------------------------------------


def test_the_one_who_brings_the_token_is_told(prometheus):
    answer = prometheus.get("/metrics")
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"bearer {TOKEN}"},
        {"Authorization": TOKEN},
        {"Authorization": "Bearer ünïcode"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "127.0.0.1"},
        {"Authorization": f"Bearer {TOKEN}", "X-Real-IP": "127.0.0.1"},
        {"Authorization": f"Bearer {TOKEN}", "Forwarded": "for=127.0.0.1"},
    ],
)
def test_everybody_else_finds_nothing_there(prometheus, login, admin, headers):
    missing = Client().get("/no-such-page").status_code
    for client in (Client(), login(admin)):
        for method in ("get", "head", "post", "options"):
            answer = getattr(client, method)("/metrics", headers=headers)
            assert answer.status_code == missing == 404
            assert b"sorahub_jobs" not in answer.content


def test_without_a_token_in_the_settings_there_is_no_such_page(prometheus, settings):
    settings.METRICS_TOKEN = ""
    assert prometheus.get("/metrics").status_code == 404
    assert Client(headers={"Authorization": "Bearer "}).get("/metrics").status_code == 404


def test_a_forged_form_learns_no_more_than_anybody(settings):
    settings.METRICS_TOKEN = TOKEN
    assert Client(enforce_csrf_checks=True).post("/metrics").status_code == 404


# --- What is told ---------------------------------------------------------------------------------


def test_an_empty_house_has_every_number_and_they_are_nought(prometheus):
    numbers = told(prometheus)
    assert {name: numbers[name] for name in ("database_up", "gate_up")} == {"database_up": 1, "gate_up": 1}
    for name in (
        "jobs_queued jobs_oldest_seconds jobs_running attempts_open attempts_lapsed submissions_waiting"
        " submissions_oldest_seconds submissions_overdue submissions_preparing submissions_preparing_oldest_seconds"
        " submissions_unprepared claims publications_live takedowns mails_unsent paused"
    ).split():
        assert numbers[name] == 0, name
    assert numbers["workers"] == numbers["workers_able testcard"] == 0
    assert numbers["attempts_hour succeeded"] == numbers["members active"] == 0
    assert numbers["store_free_bytes private"] > 0


def test_the_numbers_are_what_happened(prometheus, settings, reviewer):
    artist = factories.member()
    factories.publication(factories.submission(artist=artist))
    gate.take_down(factories.publication(factories.submission(artist=artist)), by=artist)
    factories.asked(factories.submission(artist=artist), by=reviewer)
    late = factories.submission(artist=artist)
    for error in ("", "Why it failed."):
        sent = sealing.submit(factories.clip(artist), by=artist, title="A title", statement="")
        asked = timezone.now() - timedelta(minutes=1)
        Preparation.objects.filter(submission=sent).update(asked_at=asked, error=error)
    Clock.objects.filter(submission=late).update(due_at=timezone.now() - timedelta(minutes=1))
    assert desk.claim(late, by=reviewer)
    running, _waiting = factories.job(artist), factories.job(artist)
    attempt = factories.claim_of(running)
    Attempt.objects.filter(pk=attempt.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    Job.objects.queued().update(created_at=timezone.now() - timedelta(minutes=5))
    suspended = factories.member()
    exclusion.suspend(suspended.membership, by=None, reason="A reason.")
    exclusion.end(factories.member().membership, by=None, reason="A reason.")
    pause.pause(by=None)
    invitation, _link = invite("late@example.com", role="artist", cohort="First", by=None)
    type(invitation).objects.filter(pk=invitation.pk).update(mail_started_at=timezone.now())
    numbers = told(prometheus)
    expected = {
        "jobs_queued": 1,
        "jobs_running": 1,
        "attempts_open": 1,
        "attempts_lapsed": 1,
        "attempts_hour succeeded": 6,
        "submissions_waiting": 2,
        "submissions_asked": 1,
        "submissions_overdue": 1,
        "submissions_preparing": 1,
        "submissions_unprepared": 1,
        "claims": 1,
        "publications_live": 1,
        "takedowns": 1,
        "members suspended": 1,
        "members ended": 1,
        "mails_unsent": 1,
        "paused": 1,
    }
    assert {name: numbers[name] for name in expected} == expected
    assert 300 <= numbers["jobs_oldest_seconds"] < 400
    assert 60 <= numbers["submissions_preparing_oldest_seconds"] < 160


def test_a_gate_that_is_down_is_a_number(prometheus):
    triggers.lower_gate()
    assert told(prometheus)["gate_up"] == 0
    triggers.raise_gate()
    assert told(prometheus)["gate_up"] == 1


def test_asking_costs_the_same_with_one_row_and_with_fifty(prometheus):
    def cost():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert prometheus.get("/metrics").status_code == 200
        return len(asked)

    artist = factories.member()
    factories.publication(factories.submission(artist=artist))
    first = cost()
    for _number in range(49):
        queue.give_up(factories.claim_of(factories.job(artist)), retry=False)
        factories.submission(artist=artist)
    assert cost() == first <= 18


def test_requests_are_counted_by_view_and_never_by_path(prometheus):
    clip = factories.clip(factories.member())
    before = told(prometheus)
    for _time in range(3):
        Client().get(f"/studio/clips/{clip.pk}/")
    Client().generic("BREW", "/policy/")
    Client().get("/no-such-page/with-words")
    answer = prometheus.get("/metrics")
    numbers = told(prometheus)

    def risen(name):
        return numbers[name] - before.get(name, 0)

    assert risen("requests_total GET 302 clip") == 3
    assert risen("requests_total other 405 policy") == 1
    assert risen("requests_total GET 404 none") == 1
    assert risen("request_seconds_count clip") == 3
    assert str(clip.pk) not in answer.text
    assert "with-words" not in answer.text
    assert "BREW" not in answer.text


def test_several_processes_count_as_one(tmp_path):
    """As gunicorn's workers do: each its own process, and whichever is asked tells the sum."""
    code = (
        "import django, sys; django.setup()\n"
        "from sorahub import metrics\n"
        "metrics.observe('gallery', 'GET', 200, 0.01)\n"
        "from prometheus_client import CollectorRegistry, generate_latest\n"
        "from prometheus_client.multiprocess import MultiProcessCollector\n"
        "registry = CollectorRegistry(); MultiProcessCollector(registry)\n"
        "print(generate_latest(registry).decode())"
    )
    environment = {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
        "PATH": "/usr/bin:/bin",
    }
    for count in (1.0, 2.0):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        line = 'sorahub_requests_total{method="GET",status="200",view="gallery"}'
        assert f"{line} {count}" in done.stdout
