"""The sweep: no file without a row, no live publication without its files, and nothing taken that somebody needs."""

import os
import time

import pytest

from generation import storage
from review import gate, sealing, sweep
from tests import factories

pytestmark = pytest.mark.django_db


def put(store, name, content=b"left over", age=0.0):
    path = store.path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)
    return path


def files(store) -> set[str]:
    return {str(path.relative_to(store.root)) for path in store.root.rglob("*") if path.is_file()}


def test_files_without_a_row_go_once_they_are_old():
    store = storage.private()
    old = put(store, "ab/" + "ab" * 32, age=2 * sweep.GRACE)
    fresh = put(store, "cd/" + "cd" * 32)
    half = put(store, "incoming/attempt-7/video.mp4", age=2 * sweep.GRACE)
    public = put(storage.public(), "nobodysslug2/video", age=2 * sweep.GRACE)
    assert sweep.sweep().orphans == 3
    assert [path.exists() for path in (old, fresh, half, public)] == [False, True, False, False]


def test_every_file_that_a_row_names_stays():
    """A take that was never submitted, a submission in each state, and a live publication keep their files."""
    unsubmitted = factories.clip(factories.member())
    waiting = factories.submission()
    refused = factories.submission()
    factories.decision(refused, "refuse")
    withdrawn = factories.submission()
    sealing.withdraw(withdrawn, by=withdrawn.artist)
    live = factories.publication()
    before = files(storage.private()), files(storage.public())
    for store in (storage.private(), storage.public()):
        for name in files(store):
            os.utime(store.path(name), (0, 0))
    assert sweep.sweep() == sweep.Swept(orphans=0, mended=0, missing=0)
    assert (files(storage.private()), files(storage.public())) == before
    assert before[1] == {f"{live.slug}/{kind}" for kind in ("video", "poster", "sprite")}
    assert factories.bytes_of(unsubmitted)
    assert factories.bytes_of(waiting)


def test_a_lost_public_file_is_put_back_from_the_approved_one(login):
    publication = factories.publication()
    for kind in ("video", "poster", "sprite"):
        storage.public().path(f"{publication.slug}/{kind}").unlink()
        assert sweep.sweep().mended == 1
        assert storage.public().path(f"{publication.slug}/{kind}").read_bytes() == factories.bytes_of(
            publication.submission, kind
        )


def test_a_lost_public_file_is_never_put_back_from_other_bytes():
    publication = factories.publication()
    copy = storage.public().path(f"{publication.slug}/video")
    copy.unlink()
    digest = publication.submission.files.get(kind="video").sha256
    storage.private().path(storage.private_name(digest)).write_bytes(b"other bytes")
    assert sweep.sweep().mended == 0
    assert not copy.exists()


def test_a_lost_private_file_is_counted_and_breaks_nothing_else():
    lost, other = factories.publication(), factories.publication()
    digest = lost.submission.files.get(kind="video").sha256
    storage.private().path(storage.private_name(digest)).unlink()
    storage.public().path(f"{lost.slug}/video").unlink()
    storage.public().path(f"{other.slug}/video").unlink()
    swept = sweep.sweep()
    assert (swept.mended, swept.missing) == (1, 1)
    assert storage.public().path(f"{other.slug}/video").exists()


def test_what_was_taken_down_is_cleared_away_and_not_mended():
    publication = factories.publication()
    gate.take_down(publication, by=publication.submission.artist)
    left = put(storage.public(), f"{publication.slug}/video", age=2 * sweep.GRACE)
    assert sweep.sweep() == sweep.Swept(orphans=1, mended=0, missing=0)
    assert not left.exists()


def test_a_second_sweep_finds_nothing_to_do():
    factories.publication()
    put(storage.private(), "ab/" + "ab" * 32, age=2 * sweep.GRACE)
    sweep.sweep()
    assert sweep.sweep() == sweep.Swept(orphans=0, mended=0, missing=0)
    assert sweep.sweep(grace=0) == sweep.Swept(orphans=0, mended=0, missing=0)
