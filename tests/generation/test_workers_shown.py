"""Who runs the program sees who makes clips, and nothing of what is in them."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from generation import queue
from generation.models import Attempt
from tests import factories

from .workers import worker_row

pytestmark = pytest.mark.django_db

PAGE = "/program/models/"
TOKEN = "a-token-of-the-operators-own"


def command() -> list[str]:
    out = StringIO()
    call_command("workers", stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture
def three():
    """One at work, one idle with another model, and one that is gone."""
    worker_row("gpu:1", runs=["testcard"], warm="testcard")
    worker_row("gpu:2", runs=["embedded", "testcard"])
    worker_row("gpu:3", live_until=timezone.now() - timedelta(milliseconds=1))
    factories.job(factories.member(), "a secret prompt")
    attempt = queue.claim_next("gpu:1")
    Attempt.objects.filter(pk=attempt.pk).update(started_at=timezone.now() - timedelta(minutes=3))


def test_the_page_of_models_tells_who_can_run_them_and_what_they_are_at(three, login, admin):
    text = login(admin).get(PAGE).text
    assert "gpu:1" in text
    assert "a take of Test card, for 3\N{NO-BREAK SPACE}minutes" in text
    assert "Sorahub Mini, Test card" in text
    assert "gpu:3" not in text
    assert "secret" not in text


def test_an_empty_house_says_so_on_the_page_and_in_the_terminal(login, admin):
    assert (
        "No worker is up just now. Takes are accepted, and wait until one is." in login(admin).get(PAGE).text
    )
    assert command() == ["No worker is live. Takes are accepted, and wait until one is."]


def test_the_terminal_tells_the_same(three):
    assert command() == [
        "Worker  Can run             Warm      At work on",
        "gpu:1   testcard            testcard  testcard, for 180 s",
        "gpu:2   embedded, testcard",
    ]


def test_prometheus_is_told_how_many_can_run_each_model(three, settings):
    settings.METRICS_TOKEN = TOKEN
    told = Client(headers={"Authorization": f"Bearer {TOKEN}"}).get("/metrics").text.splitlines()
    assert {line for line in told if line.startswith("sorahub_workers")} == {
        "sorahub_workers 2.0",
        'sorahub_workers_able{model="embedded"} 1.0',
        'sorahub_workers_able{model="testcard"} 2.0',
    }


def test_the_page_costs_the_same_however_many_workers_there_are(login, admin, django_assert_num_queries):
    office = login(admin)
    office.get(PAGE)
    with django_assert_num_queries(5):
        office.get(PAGE)
    for number in range(20):
        worker_row(f"gpu:{number}")
    with django_assert_num_queries(5):
        office.get(PAGE)
