"""What a log line tells: which request, whose, for which job; and what it never holds."""

import json
import logging
import re
from pathlib import Path

import pytest
from django.db import DataError
from django.test import Client
from django.urls import get_resolver

from accounts import trail
from generation.models import Attempt, Job
from sorahub import logs
from tests import factories
from tests.generation.workers import is_over, send, until

SECRET = "a-prompt-that-nobody-may-read"


def lines(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.fixture
def written(settings):
    """written(): the lines of this test, as the handler of the settings writes them."""
    import io

    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Json())
    handler.addFilter(logs.WithoutKeys())
    watched = [logging.getLogger(name) for name in ("", "django")]
    for logger in watched:
        logger.addHandler(handler)
    yield lambda: lines(stream.getvalue())
    for logger in watched:
        logger.removeHandler(handler)


def access_lines(written) -> list[dict]:
    return [line for line in written() if line["logger"] == "sorahub.access"]


# --- One line a request ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_each_request_has_one_line_with_its_id_and_who_asked(written, login):
    artist = factories.member()
    answers = [Client().get("/"), login(artist).get("/studio/"), Client().get("/nowhere/")]
    told = access_lines(written)
    assert [line["request"] for line in told] == [answer["X-Request-ID"] for answer in answers]
    assert [(line["method"], line["view"], line["status"]) for line in told] == [
        ("GET", "gallery", 200),
        ("GET", "studio", 200),
        ("GET", "none", 404),
    ]
    assert [line.get("user") for line in told] == [None, str(artist.pk), None]
    assert all(line["ms"] > 0 for line in told)


@pytest.mark.django_db
def test_probes_that_are_well_fill_no_log(written):
    Client().get("/healthz")
    assert Client().get("/readyz").status_code == 200
    assert access_lines(written) == []
    Client().get("/metrics")
    assert [line["status"] for line in access_lines(written)] == [404]


@pytest.mark.django_db
@pytest.mark.parametrize("proxies, counts", [(0, False), (1, True)])
def test_only_ones_own_proxy_names_a_request(settings, proxies, counts):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    answer = Client().get("/healthz", headers={"X-Request-ID": "named-by-the-proxy"})
    assert (answer["X-Request-ID"] == "named-by-the-proxy") is counts


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name", ["short", "x" * 65, 'a"},{"level":"forged', "-starts-with-a-dash", "ünïcode-id"]
)
def test_a_name_that_is_none_is_replaced(settings, name):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    answer = Client().get("/healthz", headers={"X-Request-ID": name})
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])


def test_what_one_request_left_is_not_the_next_ones():
    with trail.following(request="first"):
        pass
    assert trail.ids() == {}


# --- What no line holds ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_no_path_tells_a_key(written):
    keyed = {path for path in _paths() if re.search(r"<(\w+:)?key>|\?P<key>|uidb36", path)}
    assert len(keyed) >= 3, "then this test proves nothing"
    for pattern in keyed:
        path = re.sub(r"<(\w+:)?(key|uidb36)>|\(\?P<\w+>[^)]*\)", "MQ-secret1-secret2", pattern)
        path = "/" + path.replace("^", "").replace("$", "")
        Client().get(path)
    told = json.dumps(written())
    assert len(access_lines(written)) == len(keyed)
    assert "secret1" not in told
    assert "secret2" not in told


@pytest.mark.django_db
def test_a_stranger_s_path_begins_no_line_of_its_own(caplog):
    caplog.set_level(logging.INFO)
    caplog.handler.setFormatter(logs.Plain("{levelname} {message}", style="{"))
    Client().get("/nowhere%0AERROR%20the%20gate%20is%20down%0D%0A")
    assert "/nowhere%0AERROR%20the%20gate%20is%20down" in caplog.text
    assert not [line for line in caplog.text.splitlines() if line.startswith("ERROR")]


def _paths(entries=None, prefix=""):
    for entry in get_resolver().url_patterns if entries is None else entries:
        path = prefix + str(entry.pattern)
        yield from _paths(entry.url_patterns, path) if hasattr(entry, "url_patterns") else [path]


@pytest.mark.django_db
def test_an_error_is_told_without_its_words(written):
    """A database quotes the row that it refuses, and the row holds what an artist wrote."""
    try:
        try:
            raise DataError(f"value too long: {SECRET}")
        except DataError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError:
        logging.getLogger("generation.attempts").exception("an attempt failed")
    (line,) = written()
    assert line["error"].splitlines()[-1] == "DataError"
    assert "RuntimeError" in line["error"]
    assert "test_logs.py" in line["error"]
    assert SECRET not in json.dumps(line)


def test_celery_tells_of_an_error_without_its_words():
    record = logging.makeLogRecord(
        {
            "name": "celery.app.trace",
            "msg": "Task %(name)s raised unexpected: %(exc)s",
            "args": ({"name": "review.tasks.sweep", "exc": SECRET},),
            "exc_info": (ValueError, ValueError(SECRET), None),
            "data": {"name": "review.tasks.sweep"},
        }
    )
    logs.WithoutKeys().filter(record)
    for formatter in (logs.Json(), logs.Plain("{name} {message}", style="{")):
        told = formatter.format(record)
        assert "review.tasks.sweep" in told
        assert SECRET not in told


def test_the_plain_form_tells_the_ids_too():
    record = logging.makeLogRecord({"name": "here", "msg": "done"})
    with trail.following(request="r" * 8, job="j1", user=None):
        assert (
            logs.Plain("{name} {message}", style="{").format(record)
            == f"here done [request={'r' * 8} job=j1]"
        )


# --- From the click to the worker -----------------------------------------------------------------


@pytest.mark.usefixtures("empty_queue_of_messages")
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="workers are watched through /proc")
def test_a_click_is_found_in_the_workers_lines_of_its_job(workers, login, written):
    """Two clicks, one nudge lost: each job's lines carry its own click, whichever message woke the worker."""
    owner = factories.member()
    jobs = [send(login, owner, prompt=SECRET, steps="1"), send(login, owner, prompt=SECRET, steps="1")]
    clicks = [line["request"] for line in access_lines(written) if line["view"] == "jobs"]
    assert [job.request_id for job in Job.objects.order_by("created_at")] == clicks
    worker = workers(LOG="json")
    worker.start()
    for job in jobs:
        until(lambda job=job: is_over(job), 25, every=0.05)
    until(lambda: worker.log.read_text().count("attempt made its clip") == 2, 5)
    told = worker.log.read_text()
    for job, click in zip(jobs, clicks, strict=True):
        of_job = [
            line
            for line in lines(told)
            if line.get("job") == str(job.pk) and line["message"].startswith("attempt")
        ]
        assert [line["message"] for line in of_job] == ["attempt begins", "attempt made its clip"]
        assert {(line["request"], line["attempt"], line["user"]) for line in of_job} == {
            (click, "1", str(owner.pk))
        }
    nudged = [line for line in lines(told) if line.get("task") == "generation.tasks.run_jobs"]
    assert nudged, "lines within a task name it"
    assert SECRET not in told
    assert SECRET not in json.dumps(written())


@pytest.mark.django_db
def test_an_attempt_that_breaks_leaves_no_prompt_in_the_log(written, settings):
    from generation import attempts

    owner = factories.member()
    job = factories.job(owner, SECRET, steps=1)
    settings.PRIVATE_STORE.mkdir(parents=True)
    (settings.PRIVATE_STORE / "incoming").write_text("a file where a folder should be")
    settings.SCRATCH = settings.PRIVATE_STORE.with_name("scratch")  # so that it is made, and can't be stored
    attempts.work("tests")
    attempts.close_engine()
    assert Attempt.objects.filter(job=job).count() == 3
    told = written()
    assert any(line.get("job") == str(job.pk) and "error" in line for line in told)
    assert SECRET not in json.dumps(told)
