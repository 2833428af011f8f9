"""What staff see of a video before it is public: a copy of their own, from the frozen bytes, with a number for them."""

from datetime import timedelta

import pytest
from django.conf import settings as project
from django.db.models.functions import Now
from django.utils import timezone

from generation import copies, encoding, keys, marks, provenance, storage
from generation.models import Mark
from review import copying, leases, making, queue, sealing
from review.models import Decision, StaffCopy, Submission
from review.sweep import sweep
from sorahub.tidying import tidy
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def submission(db):
    return factories.submission()


def room(submission, path="") -> str:
    return f"/desk/submissions/{submission.pk}/{path}"


def read(content: bytes, tmp_path) -> int | None:
    out = tmp_path / "copy.mp4"
    out.write_bytes(content)
    return marks.read(encoding.decode(out), project.MARK_KEY).number


def test_two_reviewers_get_two_copies_and_each_says_who_viewed_it(login, submission, tmp_path):
    seen = {}
    for reviewer in (factories.member("reviewer"), factories.member("reviewer")):
        client = login(reviewer)
        client.get(room(submission))
        making.work()
        seen[reviewer.pk] = client.get(room(submission, "video.mp4")).getvalue()
        number = read(seen[reviewer.pk], tmp_path)
        mark = Mark.objects.get(number=number)
        assert (mark.viewer, mark.owner, mark.submission) == (reviewer, submission.artist, submission.pk)
    assert len({*seen.values(), factories.bytes_of(submission)}) == 3


def test_a_copy_never_says_that_it_is_a_release(login, submission, reviewer, tmp_path):
    copy = factories.viewed(submission, by=reviewer)
    out = tmp_path / "copy.mp4"
    storage.bring(copy.sha256, out)
    assert provenance.read(out, keys.anchors()) is None


def test_until_it_is_made_there_are_a_poster_and_a_sentence_and_no_bytes(login, submission, reviewer):
    client = login(reviewer)
    page = client.get(room(submission))
    assert "Your copy of the video is being made" in page.text
    assert room(submission, "video.mp4") not in page.text
    assert client.get(room(submission, "video.mp4")).status_code == 404
    assert client.get(room(submission, "poster.jpg")).getvalue() == factories.bytes_of(submission, "poster")
    assert client.get(room(submission, "copy/")).status_code == 200
    making.work()
    answer = client.get(room(submission, "copy/"))
    assert answer.status_code == 286, "htmx asks no more"
    assert room(submission, "video.mp4") in answer.text


def test_nobody_sees_another_s_copy(login, submission, reviewer, admin):
    factories.viewed(submission, by=reviewer)
    assert login(factories.member("reviewer")).get(room(submission, "video.mp4")).status_code == 404
    for stranger in (admin, submission.artist, factories.member()):
        for path in ("video.mp4", "copy/"):
            assert login(stranger).get(room(submission, path)).status_code == 403
    assert StaffCopy.objects.count() == 1


def test_a_claim_asks_for_the_copy_and_for_that_of_the_next_one(login, submission, reviewer):
    following, _last = factories.submission(), factories.submission()
    assert login(reviewer).post("/desk/next/").url == room(submission)
    asked = StaffCopy.objects.order_by("asked_at").values_list("submission", "viewer")
    assert list(asked) == [(submission.pk, reviewer.pk), (following.pk, reviewer.pk)]


def test_claiming_one_from_the_list_asks_for_its_copy(login, submission, reviewer):
    login(reviewer).post(room(submission, "claim/"))
    assert StaffCopy.objects.get().viewer == reviewer


def test_staff_go_before_what_is_prepared_for_the_desk(submission, reviewer):
    artist = factories.member()
    sealing.submit(factories.clip(artist), by=artist, title="A title", statement="")
    copying.ask(submission, viewer=reviewer)
    assert isinstance(leases.claim_next(), StaffCopy)


def test_without_a_worker_the_room_says_so(login, submission, reviewer):
    client = login(reviewer)
    client.get(room(submission))
    StaffCopy.objects.update(asked_at=timezone.now() - timedelta(minutes=1))
    assert "the desk worker makes it" in client.get(room(submission)).text
    assert "the desk worker makes it" in client.get(room(submission, "copy/")).text


def test_frozen_bytes_that_were_spoiled_are_shown_to_nobody(login, submission, reviewer):
    path = storage.private().path(storage.private_name(submission.files.get(kind="video").sha256))
    path.write_bytes(bytes(path.stat().st_size))
    client = login(reviewer)
    client.get(room(submission))
    making.work()
    assert "damaged or missing" in client.get(room(submission)).text
    assert client.get(room(submission, "video.mp4")).status_code == 404


def test_a_copy_without_its_number_is_shown_to_nobody(login, submission, reviewer, monkeypatch):
    monkeypatch.setattr(copies.marks, "embed", lambda frames, number, key: frames)
    client = login(reviewer)
    client.get(room(submission))
    making.work()
    assert client.get(room(submission, "video.mp4")).status_code == 404


def test_what_could_not_be_made_is_asked_for_again_by_a_later_look(login, submission, reviewer):
    copying.ask(submission, viewer=reviewer)
    StaffCopy.objects.update(ended_at=Now(), error="A sentence.")
    client = login(reviewer)
    assert "A sentence." in client.get(room(submission)).text
    StaffCopy.objects.update(ended_at=timezone.now() - timedelta(minutes=2))
    assert "being made" in client.get(room(submission)).text
    making.work()
    assert client.get(room(submission, "video.mp4")).status_code == 200


def test_a_copy_that_a_restore_lost_is_made_again_with_the_same_number(login, submission, reviewer, tmp_path):
    copy = factories.viewed(submission, by=reviewer)
    storage.private().delete(storage.private_name(copy.sha256))
    client = login(reviewer)
    client.get(room(submission))
    making.work()
    again = client.get(room(submission, "video.mp4")).getvalue()
    assert read(again, tmp_path) == Mark.objects.get(viewer=reviewer).number


def test_the_copy_changes_nothing_of_what_is_decided_on(submission, reviewer):
    before = submission.content_hash
    factories.viewed(submission, by=reviewer)
    decision = factories.decision(submission, by=reviewer)
    assert decision.content_hash == before == Submission.objects.get(pk=submission.pk).content_hash


def test_the_sweep_spares_copies_and_misses_none(submission, reviewer):
    copy = factories.viewed(submission, by=reviewer)
    assert sweep(grace=0).orphans == 0
    storage.private().delete(storage.private_name(copy.sha256))
    assert sweep(grace=0).missing == 0


@pytest.mark.parametrize("end", ["decided", "withdrawn", "old", "waiting"])
def test_copies_go_when_they_have_served_and_their_numbers_stay(submission, reviewer, end):
    copy = factories.viewed(submission, by=reviewer)
    age = timedelta(days=8 if end == "old" else 2)
    StaffCopy.objects.update(asked_at=timezone.now() - age)
    if end == "decided":
        made = factories.decision(submission, by=reviewer)
        assert tidy().copies == 0, "somebody may look at it once more"
        with factories_of_the_past():
            Decision.objects.filter(pk=made.pk).update(at=timezone.now() - age)
    if end == "withdrawn":
        queue.release(submission, by=reviewer)
        withdrawal = sealing.withdraw(submission, by=submission.artist)
        with factories_of_the_past():
            type(withdrawal).objects.update(at=timezone.now() - age)
    is_gone = end != "waiting"
    assert tidy().copies == int(is_gone)
    assert storage.private().holds(storage.private_name(copy.sha256), size=copy.size) is not is_gone
    assert Mark.objects.filter(viewer=reviewer).exists()
    assert factories.bytes_of(submission)


def factories_of_the_past():
    from tests.gate_sql import lowered

    return lowered()
