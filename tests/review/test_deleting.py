"""A take can be deleted until it is submitted, and never after, whatever races; the bytes go with the last row."""

import threading

import pytest
from django.db import IntegrityError, connections

from accounts.models import AllowanceEntry, AuditEntry, Notice
from generation import queue, storage
from generation.models import Attempt, Clip, Job, Rendition
from review import deleting, sealing
from review.models import PublicFile, Submission
from review.permissions import Conflict, NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db


def files() -> set[str]:
    return {path.name for path in storage.private().root.rglob("*") if path.is_file()}


def test_a_deleted_take_leaves_no_row_no_byte_and_no_word(login, artist):
    kept, clip = factories.clip(artist), factories.clip(artist, "words to be gone")
    Notice.objects.create(user=artist, kind="take-ready", path=f"/studio/jobs/{clip.job_id}/")
    client, job = login(artist), clip.job_id
    asked = client.get(f"/studio/clips/{clip.pk}/deletion/")
    assert "Delete this take?" in asked.text
    assert Clip.objects.count() == 2
    answer = client.post(f"/studio/clips/{clip.pk}/deletion/")
    assert (answer.status_code, answer.url) == (302, "/studio/")
    assert list(Clip.objects.all()) == [kept]
    assert files() == set(kept.renditions.values_list("sha256", flat=True))
    assert not Job.objects.filter(pk=job).exists()
    assert not Attempt.objects.filter(job=job).exists()
    assert not Notice.objects.exists()
    for path in (
        f"clips/{clip.pk}/",
        f"clips/{clip.pk}/video.mp4",
        f"jobs/{job}/",
        f"jobs/{job}/status.json",
    ):
        assert client.get(f"/studio/{path}").status_code == 404
    assert "words to be gone" not in client.get("/studio/").text
    assert client.post(f"/studio/clips/{clip.pk}/deletion/").status_code == 404
    entry = AuditEntry.objects.get(act="clip.deleted")
    assert (entry.by, entry.subject, entry.words) == (artist, f"clip:{clip.pk}", "")
    assert [entry.kind for entry in AllowanceEntry.objects.filter(job=job)] == ["reserved", "settled"]


@pytest.mark.parametrize("what", ["clip", "submission"])
def test_a_file_that_another_row_names_stays(artist, what):
    same = {"video": b"the same frames" * 9, "poster": b"the same poster" * 9}
    first, second = factories.clip(artist, **same), factories.clip(artist, **same)
    if what == "submission":
        submission = factories.submission(factories.clip(artist))
        shared = second.renditions.values("kind", "sha256", "size")
        later = Submission.objects.create(  # of an earlier version, which froze the clip's own files
            clip=submission.clip, artist=artist, version=2, discloses_recipe=False, publish_on_approval=False
        )
        PublicFile.objects.bulk_create(PublicFile(submission=later, **file) for file in shared)
        deleting.delete(second, by=artist)
    whole = factories.bytes_of(first)
    deleting.delete(first, by=artist)
    if what == "clip":
        assert len(files()) == 2
        assert factories.bytes_of(second) == whole
        deleting.delete(second, by=artist)
        assert files() == set()
    else:
        assert factories.bytes_of(later) == whole


def test_a_file_that_may_be_about_to_be_named_is_left_to_the_sweep(artist):
    clip, other = factories.clip(artist), factories.member()
    factories.job(other)
    attempt = queue.claim_next("tests")
    queue.renew(attempt, stage="storing", step=8)
    deleting.delete(clip, by=artist)
    assert len(files()) == 2


@pytest.mark.parametrize("fate", ["waiting", "withdrawn", "refused", "published"])
def test_what_was_ever_submitted_stays(login, artist, fate):
    submission = factories.submission(artist=artist)
    if fate == "withdrawn":
        sealing.withdraw(submission, by=artist)
    elif fate != "waiting":
        factories.decision(submission, "refuse" if fate == "refused" else "approve")
    if fate == "published":
        factories.publication(Submission.objects.get(pk=submission.pk))
    clip, before = submission.clip, files()
    page = login(artist).get(f"/studio/clips/{clip.pk}/")
    assert "deletion" not in page.text
    for method in ("get", "post"):
        answer = getattr(login(artist), method)(f"/studio/clips/{clip.pk}/deletion/")
        assert answer.status_code == 409
        assert "This clip was submitted once, so it stays" in answer.text
    with pytest.raises(Conflict):
        deleting.delete(clip, by=artist)
    assert files() == before
    assert Clip.objects.filter(pk=clip.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_the_database_itself_refuses_to_lose_a_submitted_clip():
    clip = factories.submission(artist=factories.member()).clip
    bare = Clip.objects.filter(pk=clip.pk)
    Rendition.objects.filter(clip=clip)._raw_delete("default")
    with pytest.raises(IntegrityError):
        bare._raw_delete("default")
    assert Clip.objects.filter(pk=clip.pk).exists()


def test_nobody_deletes_another_s_take(login, artist, reviewer, admin):
    clip = factories.clip(artist)
    for person in (factories.member(), reviewer, admin):
        assert login(person).post(f"/studio/clips/{clip.pk}/deletion/").status_code == 404
        with pytest.raises(NotAllowed):
            deleting.delete(clip, by=person)
    assert len(files()) == 2


# --- Takes that came to nothing ----------------------------------------------------------------------


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_a_take_that_came_to_nothing_can_be_removed(login, artist, end):
    job = factories.job(artist, "words to be gone")
    attempt = factories.claim_of(job)
    url = f"/studio/jobs/{job.pk}/deletion/"
    answer = login(artist).post(url)
    assert (answer.status_code, "Cancel it first." in answer.text) == (409, True)
    queue.cancel(job, by=artist) if end == "cancelled" else queue.give_up(
        attempt, retry=False, sentence="No."
    )
    assert login(factories.member()).post(url).status_code == 404
    assert login(artist).post(url).url == "/studio/"
    assert not Job.objects.exists()
    assert not Attempt.objects.exists()
    assert not queue.renew(attempt, stage="denoising", step=1)
    assert AuditEntry.objects.get(act="job.deleted").subject == f"job:{job.pk}"
    assert login(artist).post(url).status_code == 404


def test_a_take_with_a_clip_is_not_removed_as_if_it_had_none(login, artist):
    clip = factories.clip(artist)
    assert login(artist).post(f"/studio/jobs/{clip.job_id}/deletion/").status_code == 409
    assert Clip.objects.exists()


# --- Both at once -------------------------------------------------------------------------------------


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(6))
def test_of_a_deletion_and_a_submission_at_the_same_moment_one_happens_whole(round_):
    artist = factories.member()
    clip, done = factories.clip(artist), {}
    barrier = threading.Barrier(2)

    def act(name, what):
        try:
            barrier.wait()
            what()
            done[name] = True
        except (NotAllowed, Clip.DoesNotExist):
            done[name] = False
        finally:
            connections.close_all()

    acts = {
        "deleted": lambda: deleting.delete(clip, by=artist),
        "submitted": lambda: sealing.submit(clip, by=artist, title="T", statement=""),
    }
    threads = [threading.Thread(target=act, args=item) for item in acts.items()]
    for thread in threads[:: 1 if round_ % 2 else -1]:
        thread.start()
    for thread in threads:
        thread.join()
    assert done["deleted"] != done["submitted"]
    assert Clip.objects.exists() == Submission.objects.exists() == done["submitted"]
    assert len(files()) == (2 if done["submitted"] else 0)


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_submission_whose_clip_is_deleted_meanwhile_is_a_404(login, monkeypatch):
    artist = factories.member()
    clip = factories.clip(artist)
    whole = sealing._check_files

    def deleted_meanwhile(found):
        renditions = whole(found)
        deleting.delete(found, by=artist)
        return renditions

    monkeypatch.setattr(sealing, "_check_files", deleted_meanwhile)
    assert login(artist).post(f"/studio/clips/{clip.pk}/submissions/", {"title": "T"}).status_code == 404
    assert not Submission.objects.exists()
