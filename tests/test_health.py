"""What probes are told: alive or not, and which part of the whole doesn't answer."""

import pytest
from django.test import Client

from generation import storage
from review import triggers
from sorahub.celery import app

pytestmark = pytest.mark.django_db

ALL_WELL = {"ready": True, "database": True, "gate": True, "cache": True, "broker": True, "storage": True}


@pytest.fixture
def probe():
    client = Client(raise_request_exception=False)

    def _probe():
        answer = client.get("/readyz")
        return answer.status_code, answer.json()

    return _probe


@pytest.fixture
def broker_at():
    """broker_at(url, **transport_options) moves the broker for one test."""
    before = {name: app.conf[name] for name in ("broker_url", "broker_write_url", "broker_transport_options")}

    def _broker_at(url, **options):
        app.conf.update(broker_url=url, broker_write_url=url, broker_transport_options=options)

    yield _broker_at
    app.conf.update(before)


def test_a_living_process_says_so(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_a_process_that_can_do_its_work_says_so_part_by_part(probe):
    assert probe() == (200, ALL_WELL)


def test_a_gate_that_is_down_is_told(probe):
    triggers.lower_gate()
    assert probe() == (503, ALL_WELL | {"ready": False, "gate": False})
    triggers.raise_gate()
    assert probe()[0] == 200


def test_a_store_that_can_not_be_reached_is_told(probe, settings):
    root = storage.private().root
    root.parent.mkdir(exist_ok=True)
    root.write_text("a file where the folder should be")
    assert probe() == (503, ALL_WELL | {"ready": False, "storage": False})


def test_a_broker_that_is_gone_is_told(probe, broker_at):
    broker_at("redis://:secret@127.0.0.1:1/0")  # what is told has no room for why
    assert probe() == (503, ALL_WELL | {"ready": False, "broker": False})


def test_a_broker_whose_folder_is_gone_is_told(probe, broker_at, tmp_path):
    (tmp_path / "file").write_text("no folder")
    folders = dict.fromkeys(
        ("data_folder_in", "data_folder_out", "control_folder"), str(tmp_path / "file" / "below")
    )
    broker_at("filesystem://", **folders)
    assert probe() == (503, ALL_WELL | {"ready": False, "broker": False})


def test_a_cache_that_is_gone_is_told(probe, settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    assert probe() == (503, ALL_WELL | {"ready": False, "cache": False})


def test_a_probe_is_only_asked(client):
    assert client.post("/readyz").status_code == 405
