"""Becoming public and ceasing to be: bytes proven by their hash, failure that stays closed, and takedowns that hold."""

import hashlib

import pytest

from accounts.models import AuditEntry
from generation import storage
from review import gate, sweep
from review.models import Publication, Takedown
from review.permissions import Conflict
from tests import factories

pytestmark = pytest.mark.django_db
KINDS = {"video": "video.mp4", "poster": "poster.jpg", "sprite": "sprite.jpg"}


@pytest.fixture
def approved():
    submission = factories.submission(title="An approved title")
    factories.decision(submission)
    return submission


def publish(client, submission):
    return client.post(f"/studio/submissions/{submission.pk}/publication/")


def private_file(submission, kind="video"):
    return storage.private().path(storage.private_name(submission.files.get(kind=kind).sha256))


def test_publishing_copies_the_approved_bytes(login, approved):
    assert publish(login(approved.artist), approved).status_code == 302
    publication = Publication.objects.get()
    for kind, name in KINDS.items():
        served = login().get(f"/watch/{publication.slug}/{name}").getvalue()
        assert hashlib.sha256(served).hexdigest() == approved.files.get(kind=kind).sha256
        copy = storage.public().path(f"{publication.slug}/{kind}")
        assert not copy.samefile(private_file(approved, kind)), "a copy, so that no later write reaches both"
    assert publication.content_hash == approved.content_hash


def test_publishing_twice_gives_the_same_publication(login, approved):
    client = login(approved.artist)
    assert [publish(client, approved).status_code for _click in range(2)] == [302, 302]
    assert Publication.objects.count() == 1
    assert AuditEntry.objects.filter(act="publication.created").count() == 1


@pytest.mark.parametrize("role", ["artist", "reviewer", "admin"])
def test_only_the_artist_publishes(login, approved, role):
    other = factories.member(role)
    assert publish(login(other), approved).status_code == 404
    with pytest.raises(gate.NotPublishable, match="Only the artist"):
        gate.publish(approved, by=other)
    assert not Publication.objects.exists()


@pytest.mark.parametrize("outcome", [None, "refuse"])
def test_nothing_is_published_without_an_approval(login, outcome):
    submission = factories.submission()
    if outcome:
        factories.decision(submission, outcome)
    response = publish(login(submission.artist), submission)
    assert response.status_code == 409
    assert "no reviewer has approved it" in response.text
    assert not Publication.objects.exists()


def test_a_copy_of_spoiled_bytes_is_never_put_in_place(login, approved):
    private_file(approved).write_bytes(b"other bytes than were approved")
    publish(login(approved.artist), approved)
    slug = Publication.objects.get().slug
    assert login().get(f"/watch/{slug}/video.mp4").status_code == 404
    assert not storage.public().path(f"{slug}/video").exists()
    assert list(storage.public().incoming.iterdir()) == []


def test_a_full_disk_leaves_the_publication_dark_and_the_sweep_lights_it(login, approved):
    whole = private_file(approved).read_bytes()
    private_file(approved).unlink()
    assert publish(login(approved.artist), approved).status_code == 302
    slug = Publication.objects.get().slug
    assert login().get(f"/watch/{slug}/video.mp4").status_code == 404
    private_file(approved).write_bytes(whole)
    assert sweep.sweep().mended == 1
    assert login().get(f"/watch/{slug}/video.mp4").getvalue() == whole
    assert sweep.sweep().mended == 0


def test_files_left_by_a_half_done_publishing_go_with_the_takedown(login, approved):
    """The video was copied, the poster could not be, and the takedown came in between."""
    publication = factories.publication(approved)
    video = storage.public().path(f"{publication.slug}/video")
    gate.take_down(publication, by=approved.artist)
    private_file(approved, "poster").write_bytes(b"other bytes")
    assert gate.put_files_in_place(publication) is False
    assert not video.exists()


@pytest.mark.parametrize("who", ["artist", "reviewer", "admin"])
def test_a_takedown_holds_from_the_next_request_on(login, approved, who):
    publication = factories.publication(approved)
    by = approved.artist if who == "artist" else factories.member(who)
    path = f"/studio/publications/{publication.pk}/takedown/"
    if who != "artist":
        path = f"/desk/publications/{publication.pk}/takedown/"
    visitor = login()
    etag = visitor.get(f"/watch/{publication.slug}/video.mp4")["ETag"]
    assert login(by).post(path, {"reason": "A reason."}).status_code == 302
    for page in ("", *KINDS.values()):
        for asked in ({}, {"If-None-Match": etag}, {"Range": "bytes=0-1"}):
            assert visitor.get(f"/watch/{publication.slug}/{page}", headers=asked).status_code == 410
    assert approved.title not in visitor.get("/").text
    assert not storage.public().path(publication.slug).exists()
    assert Takedown.objects.get().by == by


def test_a_takedown_is_for_good(login, approved):
    publication = factories.publication(approved)
    gate.take_down(publication, by=approved.artist)
    response = publish(login(approved.artist), approved)
    assert response.status_code == 409
    assert "was taken down" in response.text
    assert gate.put_files_in_place(publication) is False
    assert sweep.sweep(grace=0).mended == 0
    assert login().get(f"/watch/{publication.slug}/video.mp4").status_code == 410


def test_taking_down_twice_is_one_takedown(approved, reviewer):
    publication = factories.publication(approved)
    first = gate.take_down(publication, by=approved.artist)
    assert gate.take_down(publication, by=approved.artist) == first
    with pytest.raises(Conflict):
        gate.take_down(publication, by=reviewer, reason="Another reason.")
    assert AuditEntry.objects.filter(act="publication.taken_down").count() == 1


def test_staff_say_why_they_take_a_clip_down(login, approved, reviewer):
    publication = factories.publication(approved)
    path = f"/desk/publications/{publication.pk}/takedown/"
    for reason in ("", "   "):
        response = login(reviewer).post(path, {"reason": reason})
        assert (response.status_code, "Say why" in response.text) == (422, True)
    assert not Takedown.objects.exists()
    login(reviewer).post(path, {"reason": "It shows a real address."})
    assert (
        "It shows a real address." in login(approved.artist).get(f"/studio/submissions/{approved.pk}/").text
    )
    assert "It shows a real address." not in login().get(f"/watch/{publication.slug}/").text


def test_a_stranger_takes_nothing_down(login, approved):
    publication, stranger = factories.publication(approved), factories.member()
    assert login(stranger).post(f"/studio/publications/{publication.pk}/takedown/").status_code == 404
    assert (
        login(stranger).post(f"/desk/publications/{publication.pk}/takedown/", {"reason": "x"}).status_code
        == 403
    )
    with pytest.raises(gate.NotAllowed):
        gate.take_down(publication, by=stranger)
    assert not Takedown.objects.exists()


def test_the_bytes_stay_closed_if_they_can_not_be_deleted(login, approved):
    """The row ends it; whatever still lies on the disk is served to nobody, and the sweep takes it away."""
    publication = factories.publication(approved)
    gate.take_down(publication, by=approved.artist)
    left = storage.public().path(f"{publication.slug}/video")
    left.parent.mkdir()
    left.write_bytes(factories.bytes_of(approved))
    assert login().get(f"/watch/{publication.slug}/video.mp4").status_code == 410
    sweep.sweep(grace=0)
    assert not left.exists()
