"""Buckets for tests: a server that speaks S3 over HTTP on this machine, and two fresh buckets for whoever asks."""

import itertools
import logging

import pytest

from generation import storage
from generation.addresses import Bucket

_numbers = itertools.count(1)
NOWHERE = "http://127.0.0.1:1"  # an endpoint at which nothing listens


@pytest.fixture(scope="session")
def s3_server():
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def a_bucket(s3_server, monkeypatch):
    """a_bucket(prefix) makes a bucket and gives its place."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")

    def _a_bucket(prefix="") -> Bucket:
        place = Bucket(f"bucket-{next(_numbers)}", prefix, s3_server, "us-east-1")
        storage.store_at(place).client.create_bucket(Bucket=place.name)
        return place

    return _a_bucket


@pytest.fixture
def on_buckets(settings, tmp_path, a_bucket):
    """The whole house on buckets; gives (private, public)."""
    settings.PRIVATE_STORE, settings.PUBLIC_STORE = a_bucket("some/private"), a_bucket()
    settings.SCRATCH = tmp_path / "scratch"
    return storage.private(), storage.public()


def put(store, name: str, content: bytes) -> None:
    """Past every check, as a broken program or a stranger would."""
    store.client.put_object(**store._key(name), Body=content)


def files(store) -> set[str]:
    return set(store.names())
