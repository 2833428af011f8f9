"""The way of a clip with both stores in buckets, and what happens while a bucket is away."""

import hashlib
from dataclasses import replace

import pytest

from generation import attempts, storage
from generation.models import Clip
from review import gate, sweep
from review.models import Publication, Takedown
from tests import factories
from tests.buckets import NOWHERE, files, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("on_buckets")]
RANGE = {"Range": "bytes=10-19"}


@pytest.fixture
def approved():
    submission = factories.submission(title="An approved title")
    factories.decision(submission)
    return submission


@pytest.fixture
def away(settings):
    """away("PUBLIC_STORE") moves a store to where nothing listens; away() brings both back."""
    before = {name: getattr(settings, name) for name in ("PRIVATE_STORE", "PUBLIC_STORE")}

    def _away(*names):
        for name, place in before.items():
            setattr(settings, name, replace(place, endpoint=NOWHERE) if name in names else place)

    return _away


def test_a_clip_goes_all_the_way(login, artist, reviewer, on_buckets, settings):
    private, public = on_buckets
    job = factories.job(artist, steps=1)
    attempts.work("tests")
    attempts.close_engine()
    clip = Clip.objects.get(job=job)
    assert files(private) == {storage.private_name(file.sha256) for file in clip.renditions.all()}
    assert [path for path in settings.SCRATCH.rglob("*") if path.is_file()] == []
    at_studio, outside = login(artist), login()
    video = at_studio.get(f"/studio/clips/{clip.pk}/video.mp4").getvalue()
    assert hashlib.sha256(video).hexdigest() == clip.rendition("video").sha256
    submission = factories.submission(clip)
    frozen = factories.bytes_of(submission)
    factories.decision(submission, by=reviewer)
    assert files(public) == set()
    at_studio.post(f"/studio/submissions/{submission.pk}/publication/")
    slug = Publication.objects.get().slug
    assert files(public) == {f"{slug}/{kind}" for kind in ("video", "poster", "sprite")}
    url = f"/watch/{slug}/video.mp4"
    part = outside.get(url, headers=RANGE)
    assert (part.status_code, part.getvalue()) == (206, frozen[10:20])
    assert part["Content-Range"] == f"bytes 10-19/{len(frozen)}"
    assert outside.get(url).getvalue() == frozen
    assert sweep.sweep(grace=0, reread=True) == sweep.Swept(orphans=0, mended=0, missing=0)
    gate.take_down(Publication.objects.get(), by=reviewer, reason="A test.")
    assert outside.get(url, headers=RANGE).status_code == 410
    assert files(public) == set()
    assert len(files(private)) == clip.renditions.count() + 3
    assert sweep.sweep(grace=0) == sweep.Swept(orphans=0, mended=0, missing=0)


def test_nginx_is_never_asked_to_read_a_bucket(login, settings, approved):
    settings.ACCEL_PREFIX = "/internal"
    publication = factories.publication(approved)
    answer = login().get(f"/watch/{publication.slug}/video.mp4", headers=RANGE)
    assert (answer.status_code, answer.getvalue()) == (206, factories.bytes_of(approved)[10:20])
    assert "X-Accel-Redirect" not in answer


def test_no_answer_names_a_bucket_or_leads_to_it(login, approved, on_buckets):
    publication = factories.publication(approved)
    answer = login().get(f"/watch/{publication.slug}/video.mp4")
    told = f"{answer.status_code} {answer.headers} {login().get(f'/watch/{publication.slug}/').text}"
    for store in on_buckets:
        assert store.place.name not in told
        assert "X-Amz" not in told


def test_a_bucket_that_is_away_at_publishing_leaves_the_page_dark_and_the_sweep_lights_it(
    login, approved, away
):
    away("PUBLIC_STORE")
    assert login(approved.artist).post(f"/studio/submissions/{approved.pk}/publication/").status_code == 302
    url = f"/watch/{Publication.objects.get().slug}/video.mp4"
    answer = login().get(url)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert login().get(f"/watch/{Publication.objects.get().slug}/").status_code == 200
    away()
    assert login().get(url).status_code == 404
    assert sweep.sweep().mended == 1
    assert login().get(url).getvalue() == factories.bytes_of(approved)


def test_a_bucket_that_is_away_at_a_takedown_still_serves_nobody(login, approved, away, on_buckets):
    publication = factories.publication(approved)
    away("PUBLIC_STORE")
    gate.take_down(publication, by=approved.artist)
    assert Takedown.objects.filter(publication=publication).exists()
    away()
    assert len(files(on_buckets[1])) == 3, "they could not be deleted"
    for kind in ("video.mp4", "poster.jpg"):
        assert login().get(f"/watch/{publication.slug}/{kind}").status_code == 410
    assert sweep.sweep(grace=0).orphans == 3
    assert files(on_buckets[1]) == set()


def test_submitting_says_that_the_store_is_away_and_keeps_the_form(login, artist, away):
    clip = factories.clip(artist)
    away("PRIVATE_STORE")
    answer = login(artist).post(
        f"/studio/clips/{clip.pk}/submissions/", {"title": "My own words", "statement": ""}
    )
    assert answer.status_code == 422
    assert "The store of files doesn" in answer.text
    assert "My own words" in answer.text
    assert not clip.submissions.exists()


def test_no_job_is_claimed_while_the_bucket_is_away(artist, away, caplog):
    job = factories.job(artist)
    away("PRIVATE_STORE")
    assert attempts.work("tests") == 0
    job.refresh_from_db()
    assert (job.status, job.attempts_made) == ("queued", 0)
    assert "the private store doesn't answer (OSError): no job is claimed" in caplog.text


def test_other_bytes_under_a_public_name_are_found_and_replaced(login, approved, on_buckets):
    publication = factories.publication(approved)
    whole = factories.bytes_of(approved)
    put(on_buckets[1], f"{publication.slug}/video", b"x" * len(whole))
    assert sweep.sweep().mended == 0, "the daily reading finds it, not the quick look"
    assert sweep.sweep(reread=True).mended == 1
    assert login().get(f"/watch/{publication.slug}/video.mp4").getvalue() == whole


def test_spoiled_private_bytes_are_never_published(login, approved, on_buckets):
    private, public = on_buckets
    file = approved.files.get(kind="video")
    put(private, storage.private_name(file.sha256), b"x" * file.size)
    publication = gate.publish(approved, by=approved.artist)
    assert f"{publication.slug}/video" not in files(public)
    assert login().get(f"/watch/{publication.slug}/video.mp4").status_code == 404
    assert sweep.sweep(reread=True).broken == 1


def test_what_no_row_names_goes_once_it_is_old(on_buckets):
    private, public = on_buckets
    put(private, "incoming/half", b"half")
    put(private, "ab/" + "ab" * 32, b"nobody's")
    put(public, "nobodysslug2/video", b"nobody's")
    assert sweep.sweep().orphans == 0
    assert sweep.sweep(grace=0).orphans == 3
    assert files(private) | files(public) == set()


def test_readyz_tells_of_a_bucket_that_is_away(client, away):
    assert client.get("/readyz").json()["storage"] is True
    away("PUBLIC_STORE")
    assert client.get("/readyz").json()["storage"] is False
