"""What probes are told: alive or not, and which part of the whole doesn't answer."""

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from generation import storage
from review import triggers
from sorahub.celery import app

pytestmark = pytest.mark.django_db

ALL_WELL = dict.fromkeys(
    ("ready", "database", "migrations", "gate", "restore", "cache", "broker", "storage"), True
)


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


def test_a_store_that_takes_no_bytes_is_told(probe):
    """A disk that went read-only still tells how much is free."""
    store = storage.public()
    store.root.mkdir(parents=True)
    (store.root / "incoming").write_text("a file where the folder for new files should be")
    assert probe() == (503, ALL_WELL | {"ready": False, "storage": False})


def test_the_stores_are_tried_once_and_nothing_is_left_in_them(probe):
    assert probe()[0] == 200
    (storage.private().root / "incoming").rmdir()
    assert probe()[0] == 200, "strangers may ask often; the disk is not asked each time"
    left = [path for store in (storage.private(), storage.public()) for path in store.root.rglob("*")]
    assert [path for path in left if path.is_file()] == []
    assert not (storage.private().root / "incoming").exists()


def test_a_store_without_room_for_a_job_is_told(probe, monkeypatch):
    monkeypatch.setattr("generation.attempts.DISK_RESERVE", 2**60)
    assert probe() == (503, ALL_WELL | {"ready": False, "storage": False})


def test_a_database_that_is_behind_the_code_is_told(probe, settings, monkeypatch):
    MigrationRecorder(connection).record_unapplied("review", "0003_gate_over_members")
    # A name under which no answer is remembered.
    monkeypatch.setitem(connection.settings_dict, "NAME", f"{connection.settings_dict['NAME']} ")
    assert probe() == (503, ALL_WELL | {"ready": False, "migrations": False})


def test_a_probe_costs_few_queries(probe, django_assert_max_num_queries):
    probe()
    with django_assert_max_num_queries(6):
        probe()


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
