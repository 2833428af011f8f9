"""From a click to the desk: a worker makes, marks and signs the public files, and then they are frozen for ever."""

import hashlib
from datetime import timedelta

import numpy as np
import pytest
from django.conf import settings as project
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, pause
from generation import copies, encoding, keys, marks, provenance, storage
from generation.models import Mark
from review import gate, leases, making, preparing, queue, sealing
from review.models import Preparation, PublicFile, Submission
from tests import factories

pytestmark = pytest.mark.django_db


def sent(artist, clip=None, **words) -> Submission:
    clip = clip or factories.clip(artist)
    return sealing.submit(clip, by=artist, title="A title", statement="", **words)


def now(submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


def frozen(submission, kind, tmp_path):
    out = tmp_path / kind
    out.write_bytes(factories.bytes_of(submission, kind))
    return out


# --- What is made ------------------------------------------------------------------------------------


def test_the_public_video_carries_the_number_of_its_submission_and_says_where_it_comes_from(artist, tmp_path):
    submission = sent(artist)
    making.work()
    video = frozen(now(submission), "video", tmp_path)
    mark = Mark.objects.get(submission=submission.pk)
    assert (mark.owner, mark.viewer) == (artist, None)
    assert marks.read(encoding.decode(video), project.MARK_KEY).number == mark.number
    told = provenance.read(video, keys.anchors())
    assert (told.state, told.submission) == (provenance.State.TRUSTED, str(submission.pk))
    assert (told.model, told.allows_training, told.has_image) == ("testcard", False, False)


def test_what_visitors_get_looks_like_the_clip(artist, tmp_path, settings):
    settings.VISIBLE_MARK = False
    submission = sent(artist)
    making.work()
    public = list(encoding.decode(frozen(now(submission), "video", tmp_path)))
    private = tmp_path / "clip.mp4"
    storage.bring(submission.clip.rendition("video").sha256, private)
    own = list(encoding.decode(private))
    assert len(public) == len(own) == factories.FRAMES
    error = np.mean([np.mean((a.astype(float) - b) ** 2) for a, b in zip(public, own, strict=True)])
    assert 10 * np.log10(255**2 / error) > 40


@pytest.mark.parametrize("is_on", [True, False])
def test_the_visible_mark_is_drawn_where_the_program_says_so(artist, tmp_path, settings, is_on):
    settings.VISIBLE_MARK = is_on
    submission = sent(artist)
    making.work()
    frame = next(iter(encoding.decode(frozen(now(submission), "video", tmp_path)))).astype(int)
    plain = next(iter(encoding.decode(_written(factories.film(b""), tmp_path)))).astype(int)
    corner = np.abs(frame - plain)[-20:, 20:].max()
    assert (corner > 60) == is_on


def test_poster_and_sprite_are_taken_from_the_marked_frames(artist, tmp_path, settings):
    submission = sent(artist)
    making.work()
    found = now(submission)
    assert set(found.work["files"]) == {"video", "poster", "sprite"}
    clip = submission.clip
    assert found.files.get(kind="poster").sha256 != clip.rendition("poster").sha256
    assert found.files.get(kind="video").sha256 != clip.rendition("video").sha256


def test_a_clip_that_can_not_carry_the_mark_is_not_sealed_and_its_artist_is_told(login, artist, monkeypatch):
    monkeypatch.setattr(factories, "SIDE", 24)
    factories._film.cache_clear()
    try:
        submission = sent(artist)
    finally:
        factories._film.cache_clear()
    making.work()
    assert now(submission).state == "unprepared"
    assert not PublicFile.objects.exists()
    page = login(artist).get(f"/studio/submissions/{submission.pk}/").text
    assert "carry the program&#x27;s invisible mark" in page
    assert Preparation.objects.get().tries == 1, "trying again would not help"


def test_a_number_that_can_not_be_read_back_is_not_sealed(artist, monkeypatch, tmp_path):
    """As if the encoder had washed it out: the copy is made of frames that nobody has marked."""
    monkeypatch.setattr(copies.marks, "embed", lambda frames, number, key: frames)
    submission = sent(artist)
    making.work()
    assert (now(submission).state, PublicFile.objects.count()) == ("unprepared", 0)
    assert "read back" in Preparation.objects.get().detail


# --- How it is frozen --------------------------------------------------------------------------------


def test_the_frozen_bytes_are_the_published_bytes_and_what_the_hash_says(login, artist):
    submission = sent(artist)
    making.work()
    public = factories.publication(now(submission))
    work = now(submission).work
    for kind, name in (("video", "video.mp4"), ("poster", "poster.jpg"), ("sprite", "sprite.jpg")):
        served = login().get(f"/watch/{public.slug}/{name}").getvalue()
        assert served == factories.bytes_of(submission, kind)
        assert hashlib.sha256(served).hexdigest() == work["files"][kind]["sha256"]
    text = now(submission).content
    assert hashlib.sha256(text.encode()).hexdigest() == public.content_hash == now(submission).content_hash


def test_nothing_of_it_reaches_the_desk_before_it_is_sealed(login, artist, reviewer):
    submission = sent(artist)
    client = login(reviewer)
    assert client.post("/desk/next/").url == "/desk/"
    for path in ("", "copy/", "video.mp4", "poster.jpg", "sprite.jpg"):
        assert client.get(f"/desk/submissions/{submission.pk}/{path}").status_code == 404
    assert client.post(f"/desk/submissions/{submission.pk}/claim/").status_code == 404
    assert not queue.claim(submission, by=reviewer)
    with pytest.raises(gate.NotAllowed):
        gate.decide(submission, by=reviewer, outcome="approve", content_hash="")
    making.work()
    assert client.post("/desk/next/").url == f"/desk/submissions/{submission.pk}/"


def test_sealing_is_in_the_audit_log(artist):
    submission = sent(artist)
    making.work()
    entry = AuditEntry.objects.get(act="submission.sealed")
    assert (entry.by, entry.subject) == (None, f"submission:{submission.pk}")


def test_a_pause_stops_no_preparation(artist, admin):
    """It spends no GPU time, and nothing becomes public by it."""
    submission = sent(artist)
    pause.pause(by=admin, reason="A reason.")
    making.work()
    assert now(submission).state == "waiting"


def test_the_promised_time_begins_when_it_reaches_the_desk(artist, settings):
    submission = sent(artist)
    earlier = timezone.now() - timedelta(hours=3)
    Submission.objects.filter(pk=submission.pk).update(created_at=earlier)
    assert now(submission).deadline is None
    making.work()
    late = now(submission).deadline - now(submission).sealed_at - settings.REVIEW_DEADLINE
    assert abs(late) < timedelta(seconds=1)


def test_who_came_first_is_prepared_first_and_so_is_next(artist, reviewer):
    first = sent(artist)
    second = factories.submission()  # both are sealed by now
    assert [now(first).state, now(second).state] == ["waiting", "waiting"]
    assert queue.claim_next(reviewer).pk == first.pk


# --- Who makes it, and until when --------------------------------------------------------------------


def test_a_withdrawal_while_it_is_prepared_ends_the_work(login, artist):
    submission = sent(artist)
    work = leases.claim_next()
    assert login(artist).post(f"/studio/submissions/{submission.pk}/withdrawal/").status_code == 302
    with pytest.raises(leases.Lost):
        leases.renew(work)
    with pytest.raises(leases.Lost):
        preparing.finish(work, factories._public_files())
    assert (now(submission).state, PublicFile.objects.count()) == ("withdrawn", 0)
    assert making.work() == 0


def test_a_withdrawal_in_the_middle_stops_the_worker(artist, monkeypatch):
    submission, tries = sent(artist), []
    monkeypatch.setattr(making, "RENEW_EVERY", 0.0)
    embed = marks.embed

    def withdrawn_meanwhile(frames, number, key):
        tries.append(sealing.withdraw(submission, by=artist))
        return embed(frames, number, key)

    monkeypatch.setattr(copies.marks, "embed", withdrawn_meanwhile)
    making.work()
    assert len(tries) == 1
    assert (now(submission).state, PublicFile.objects.count()) == ("withdrawn", 0)


def test_what_a_silent_worker_left_is_made_by_another_and_the_first_can_not_seal_any_more(artist):
    submission = sent(artist)
    silent = leases.claim_next()
    assert leases.claim_next() is None
    assert not leases.is_waiting()
    Preparation.objects.update(lease_until=Now())
    assert leases.is_waiting()
    making.work()
    sealed = now(submission)
    assert sealed.state == "waiting"
    with pytest.raises(leases.Lost):
        preparing.finish(silent, factories._public_files())
    assert now(submission).content == sealed.content
    assert PublicFile.objects.count() == 3


def test_after_three_silent_workers_the_artist_reads_why_and_tries_again(login, artist):
    submission, client = sent(artist), login(artist)
    for _try in range(3):
        assert leases.claim_next() is not None
        Preparation.objects.update(lease_until=Now())
    assert making.work() == 0
    page = client.get(f"/studio/submissions/{submission.pk}/").text
    assert "We tried 3 times" in page
    again = f"/studio/submissions/{submission.pk}/preparation/"
    assert client.post(again).status_code == 302
    assert client.post(again).status_code == 302, "a second click"
    assert now(submission).state == "preparing"
    making.work()
    assert now(submission).state == "waiting"
    assert client.post(again).status_code == 409


def test_a_failed_try_waits_a_little_and_three_are_the_most(artist, monkeypatch):
    submission = sent(artist)
    monkeypatch.setattr(copies, "public", lambda *args, **kwargs: 1 / 0)
    for tries in (1, 2, 3):
        assert making.work() == 1
        work = Preparation.objects.get()
        assert (work.tries, work.detail) == (tries, "ZeroDivisionError")
        assert not leases.is_waiting()
        Preparation.objects.filter(ended_at=None).update(lease_until=Now())
    assert now(submission).state == "unprepared"
    sealing.withdraw(now(submission), by=artist)
    assert now(submission).state == "withdrawn"


def test_a_key_that_can_not_be_used_is_said_to_operators_and_tried_again(artist, settings, tmp_path, caplog):
    submission = sent(artist)
    settings.C2PA_KEY = tmp_path / "nowhere.pem"
    making.work()
    assert now(submission).state == "preparing"
    assert "nowhere.pem" in caplog.text
    assert not PublicFile.objects.exists(), "nothing is frozen unsigned"


def test_spoiled_bytes_of_a_clip_are_noticed_by_the_worker(artist):
    submission = sent(artist)
    path = storage.private().path(storage.private_name(submission.clip.rendition("video").sha256))
    path.write_bytes(bytes(path.stat().st_size))
    making.work()
    assert now(submission).state == "unprepared"
    assert "damaged or missing" in Preparation.objects.get().error


@pytest.mark.parametrize("where", ["before it is kept", "in the store"])
def test_files_that_were_tampered_with_on_the_way_are_not_sealed(artist, monkeypatch, where):
    submission, keep = sent(artist), storage.keep

    def tampered(source, **promised):
        if where == "before it is kept":
            source.write_bytes(source.read_bytes() + b"more")
            return keep(source, **promised)
        kept = keep(source, **promised)
        storage.private().path(storage.private_name(kept[0])).write_bytes(b"other bytes")
        return kept

    monkeypatch.setattr(storage, "keep", tampered)
    making.work()
    assert (now(submission).state, PublicFile.objects.count()) == ("unprepared", 0)


def test_a_store_that_is_away_costs_no_try(artist, monkeypatch):
    submission = sent(artist)

    def away(*_args):
        raise OSError("away")

    monkeypatch.setattr(storage.FolderStore, "blocks", away)
    making.work()
    assert (Preparation.objects.get().tries, now(submission).state) == (0, "preparing")
    assert not leases.is_waiting(), "not again at once"


def test_what_workers_left_behind_is_cleared_away(artist):
    left = storage.scratch() / "making-preparation-1-1"
    left.mkdir(parents=True)
    (left / "half.mp4").write_bytes(b"half")
    making.work()
    assert left.exists(), "somebody may be at it"
    import os

    os.utime(left, (0, 0))
    making.work()
    assert not left.exists()


# --- What people see of it ---------------------------------------------------------------------------


def test_the_page_that_waits_is_told_when_it_is_worth_a_reload(login, artist):
    submission, client = sent(artist), login(artist)
    page = client.get(f"/studio/submissions/{submission.pk}/")
    assert "Being prepared for review" in page.text
    asked = client.get(f"/studio/submissions/{submission.pk}/", headers={"HX-Request": "true"})
    assert (asked.status_code, asked.content) == (204, b"")
    making.work()
    asked = client.get(f"/studio/submissions/{submission.pk}/", headers={"HX-Request": "true"})
    assert asked["HX-Refresh"] == "true"


def test_the_studio_and_the_program_tell_of_it(login, artist, admin):
    submission = sent(artist)
    assert "Being prepared" in login(artist).get("/studio/").text
    assert "Being prepared" in login(artist).get(f"/studio/clips/{submission.clip_id}/").text
    office = login(admin)
    assert "being prepared for it" in office.get("/program/").text
    assert "Being prepared" in office.get(f"/program/members/{artist.pk}/").text
    Preparation.objects.update(ended_at=Now(), error="A sentence.")
    assert "Not prepared" in login(artist).get("/studio/").text
    assert "could not be prepared" in office.get("/program/").text
    assert "Not prepared" in office.get(f"/program/members/{artist.pk}/").text


def test_somebody_else_has_nothing_prepared_again(login, artist):
    submission = sent(artist)
    Preparation.objects.update(ended_at=Now(), error="A sentence.")
    path = f"/studio/submissions/{submission.pk}/preparation/"
    assert login(factories.member()).post(path).status_code == 404
    with pytest.raises(gate.NotAllowed):
        preparing.again(submission, by=factories.member())
    assert now(submission).state == "unprepared"


def test_submitting_costs_no_more_for_a_long_clip_and_makes_no_file(login, artist):
    clip, client = factories.clip(artist), login(artist)
    files = set(storage.private().names())
    with CaptureQueriesContext(connection) as queries:
        client.post(f"/studio/clips/{clip.pk}/submissions/", {"title": "A title", "statement": ""})
    assert set(storage.private().names()) == files
    assert not any("review_publicfile" in query["sql"] for query in queries)


def _written(content: bytes, tmp_path):
    out = tmp_path / "written.mp4"
    out.write_bytes(content)
    return out
