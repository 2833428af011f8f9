"""One promise, kept by folders and by buckets alike: whole and proven files, or none."""

import hashlib
import os
import time
from contextlib import contextmanager

import pytest

from generation import storage
from generation.addresses import Bucket
from tests.buckets import NOWHERE, put

CONTENT = b"frames " * 400_000  # some blocks and a bit
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(params=["folder", "bucket", "bucket with a prefix"])
def store(request, tmp_path):
    if request.param == "folder":
        return storage.store_at(tmp_path / "store")
    a_bucket = request.getfixturevalue("a_bucket")
    return storage.store_at(a_bucket("a/b" if "prefix" in request.param else ""))


@pytest.fixture
def bucket(a_bucket):
    return storage.store_at(a_bucket("kept"))


def write(store, name="ab/file", content=CONTENT):
    store.write(name, [content], sha256=hashlib.sha256(content).hexdigest())


def test_what_is_written_is_read_whole_and_by_parts(store):
    write(store)
    assert b"".join(store.blocks("ab/file")) == CONTENT
    assert store.digest("ab/file") == SHA256
    assert store.size("ab/file") == len(CONTENT)
    end = len(CONTENT)
    for start, stop in ((0, 1), (5, 5), (end - 1, end), (storage.BLOCK - 1, storage.BLOCK + 1), (7, end)):
        assert b"".join(store.blocks("ab/file", start, stop)) == CONTENT[start:stop]
    assert max(map(len, store.blocks("ab/file"))) <= storage.BLOCK


def test_an_empty_file_is_a_file(store):
    write(store, "ab/empty", b"")
    assert (store.size("ab/empty"), list(store.blocks("ab/empty"))) == (0, [])
    assert store.holds("ab/empty", size=0)


def test_a_file_is_there_or_not(store):
    assert not store.holds("ab/file", size=len(CONTENT))
    write(store)
    assert store.holds("ab/file", size=len(CONTENT))
    assert not store.holds("ab/file", size=len(CONTENT) - 1)
    for asked in (store.size, store.digest, lambda name: list(store.blocks(name))):
        with pytest.raises(FileNotFoundError):
            asked("ab/other")


def test_other_bytes_than_promised_never_appear(store):
    with pytest.raises(storage.Damaged, match="ab/file is not the file that was promised"):
        store.write("ab/file", [CONTENT], sha256="0" * 64)
    assert list(store.names()) == []


def test_other_bytes_than_promised_leave_the_file_before_them(store):
    write(store)
    with pytest.raises(storage.Damaged):
        store.write("ab/file", [b"other"], sha256=SHA256)
    assert store.digest("ab/file") == SHA256


def test_a_source_that_ends_early_leaves_nothing(store):
    def ends():
        yield CONTENT[:1000]
        raise FileNotFoundError("the source is gone")

    with pytest.raises(FileNotFoundError):
        store.write("ab/file", ends(), sha256=SHA256)
    assert list(store.names()) == []


def test_a_file_written_again_is_the_new_one(store):
    write(store, content=b"old")
    write(store)
    assert store.digest("ab/file") == SHA256
    assert store.sizes() == {"ab/file": len(CONTENT)}


@pytest.mark.parametrize("name", ["../out", "/etc/passwd", "ab/../../out"])
def test_no_name_leads_out(store, name):
    for act in (store.size, store.delete, store.delete_folder, lambda name: write(store, name)):
        with pytest.raises(ValueError, match="lies outside the store"):
            act(name)


def test_a_folder_goes_with_all_that_is_in_it_and_nothing_beside_it(store):
    for name in ("abc/video", "abc/poster", "abcd/video"):
        write(store, name, name.encode())
    store.delete_folder("abc")
    store.delete_folder("never/there")
    assert store.sizes() == {"abcd/video": 10}


def test_deleting_tells_whether_the_file_is_gone(store):
    write(store)
    assert store.delete("ab/file", older_than=3600) is False
    assert list(store.names(older_than=3600)) == []
    assert list(store.names()) == ["ab/file"]
    assert store.delete("ab/file")
    assert store.delete("ab/file")
    assert list(store.names()) == []


def test_age_is_told_by_the_store(store, tmp_path, monkeypatch):
    write(store)
    if store.is_folder:
        os.utime(store.path("ab/file"), (time.time() - 7200,) * 2)
    else:
        _age(store, "ab/file", 7200)
    assert list(store.names(older_than=3600)) == ["ab/file"]
    assert store.delete("ab/file", older_than=3600)


def _age(store, name, seconds):
    """S3 has no way to set a file's age; the server of the tests runs in this process."""
    from datetime import timedelta

    from moto.s3.models import s3_backends

    key = s3_backends["123456789012"]["aws"].buckets[store.place.name].keys[store._key(name)["Key"]]
    key.last_modified -= timedelta(seconds=seconds)


def test_there_is_room(store):
    assert store.free_bytes() > 0


# --- What only a bucket can do wrong --------------------------------------------------------------


@pytest.mark.parametrize("place", [Bucket("b-1", "", NOWHERE, "us-east-1"), None])
def test_a_bucket_that_is_away_is_an_error_and_no_missing_file(place, s3_server, a_bucket):
    store = storage.store_at(place or Bucket("never-made", "", s3_server, "us-east-1"))
    acts = [lambda: store.free_bytes(), lambda: list(store.names()), lambda: write(store)]
    for act in acts[1 if place else 0 :]:
        with pytest.raises(OSError, match="s3://") as error:
            act()
        assert not place or type(error.value) is OSError
    if place:
        with pytest.raises(OSError, match="doesn't answer"):
            store.holds("ab/file", size=1)
        assert store.delete("ab/file") is False


@contextmanager
def on_the_way(bucket, event, act):
    events = bucket.client.meta.events
    events.register(event, act)
    yield
    events.unregister(event, act)


def test_bytes_spoiled_on_their_way_to_the_bucket_never_appear(bucket):
    def spoil(params, **_):
        params["Body"] = b"other bytes"
        params.pop("ChecksumSHA256")

    with on_the_way(bucket, "before-parameter-build.s3.PutObject", spoil):
        with pytest.raises(storage.Damaged, match="the bucket gave back other bytes"):
            write(bucket)
    assert list(bucket.names()) == []


def test_a_bucket_that_goes_away_before_the_last_step_shows_nothing(bucket):
    def cut(**_):
        raise OSError("the network is down")

    with on_the_way(bucket, "before-call.s3.CopyObject", cut):
        with pytest.raises(OSError, match="the network is down"):
            write(bucket)
    assert list(bucket.names()) == []


def test_a_writer_killed_half_way_leaves_only_what_the_sweep_takes(bucket):
    put(bucket, "incoming/some-uuid", CONTENT[:99])
    assert not bucket.holds("ab/file", size=len(CONTENT))
    assert list(bucket.names()) == ["incoming/some-uuid"]


def test_two_prefixes_of_one_bucket_are_two_stores(a_bucket):
    place = a_bucket("one")
    one = storage.store_at(place)
    two = storage.store_at(Bucket(place.name, "on", place.endpoint, place.region))
    write(one)
    write(two, "ab/other")
    assert (list(one.names()), list(two.names())) == (["ab/file"], ["ab/other"])
