"""What reviewers read and what visitors get is the same frozen text, whatever else changes around it."""

import pytest
from django.db import IntegrityError, transaction

from accounts.models import User
from generation import storage
from review import gate, queue, sweep
from review.models import Publication, PublicFile, Submission
from review.permissions import Conflict
from tests import factories

pytestmark = pytest.mark.django_db


def test_the_room_and_the_desk_show_the_frozen_credit_and_words(login, reviewer):
    waiting = factories.submission(title="A frozen title", statement="Frozen words.")
    credit = waiting.work["credit"]
    User.objects.filter(pk=waiting.artist_id).update(name="Somebody Else")
    at_desk = login(reviewer)
    room = at_desk.get(f"/desk/submissions/{waiting.pk}/").text
    for shown in ("A frozen title", "Frozen words.", credit):
        assert shown in room
    assert "Somebody Else" not in room
    assert "Somebody Else" not in at_desk.get("/desk/").text
    factories.publication(waiting)
    assert "Somebody Else" not in login().get("/").text


def test_the_room_shows_the_disclosed_recipe_as_it_was_frozen(login, reviewer):
    waiting = factories.submission(
        factories.clip(factories.member(), "a frozen prompt"), discloses_recipe=True
    )
    waiting.clip.recipe["prompt"] = "another prompt"
    waiting.clip.save()
    room = login(reviewer).get(f"/desk/submissions/{waiting.pk}/").text
    assert "a frozen prompt" in room
    assert "another prompt" not in room


def _sealed_falsely() -> Submission:
    """Sealed behind the product's back, with a hash that isn't the text's."""
    clip = factories.clip(factories.member())
    draft = Submission.objects.create(
        clip=clip,
        artist=clip.owner,
        version=1,
        title="False",
        discloses_recipe=False,
        publish_on_approval=False,
    )
    whole = factories.submission(factories.clip(clip.owner))
    PublicFile.objects.create(submission=draft, kind="video", sha256="0" * 64, size=1)
    Submission.objects.filter(pk=draft.pk).update(
        content=whole.content.replace("Title", "Other"),
        content_hash=whole.content_hash,
        sealed_at=whole.sealed_at,
    )
    draft.refresh_from_db()
    return draft


def test_a_text_that_does_not_fit_its_hash_is_never_decided_on(reviewer):
    draft = _sealed_falsely()
    assert queue.claim(draft, by=reviewer)
    with pytest.raises(Conflict):
        gate.decide(draft, by=reviewer, outcome="approve", content_hash=draft.content_hash)
    assert not Publication.objects.exists()


def test_only_the_files_of_the_approved_text_are_copied():
    waiting = factories.submission()
    approved = {kind: file["sha256"] for kind, file in waiting.work["files"].items()}
    assert approved == dict(PublicFile.objects.filter(submission=waiting).values_list("kind", "sha256"))
    public = factories.publication(waiting)
    lying = {kind: storage.digest_of(storage.public().path(public.file_name(kind))) for kind in approved}
    assert lying == approved


def test_a_public_file_that_was_cut_short_is_replaced_by_the_approved_one():
    public = factories.publication()
    path = storage.public().path(public.file_name("video"))
    whole = path.read_bytes()
    path.write_bytes(whole[:4])
    assert sweep.sweep().mended == 1
    assert path.read_bytes() == whole


def test_a_public_file_of_other_bytes_is_found_by_reading_it_again():
    public = factories.publication()
    path = storage.public().path(public.file_name("video"))
    whole = path.read_bytes()
    path.write_bytes(b"x" * len(whole))
    assert sweep.sweep().mended == 0
    assert sweep.sweep(reread=True).mended == 1
    assert path.read_bytes() == whole


def test_an_approval_that_ticks_reasons_for_a_refusal_is_asked_about(login, reviewer):
    waiting = factories.submission()
    assert queue.claim(waiting, by=reviewer)
    form = {"outcome": "approve", "content_hash": waiting.content_hash, "reasons": ["rights"]}
    answer = login(reviewer).post(f"/desk/submissions/{waiting.pk}/decision/", form)
    assert answer.status_code == 422
    assert "Untick them" in answer.text
    assert not Publication.objects.exists()


def test_what_is_public_cannot_be_erased_before_it_is_taken_down(login):
    public = factories.publication()
    sealed = Submission.objects.filter(pk=public.submission.pk)
    erasure = {"title": "", "statement": "", "content": "", "erased_at": public.published_at}
    with pytest.raises(IntegrityError), transaction.atomic():
        sealed.update(**erasure)
    gate.take_down(public, by=public.submission.artist)
    assert sealed.update(**erasure) == 1
    assert login().get("/").status_code == 200


def test_a_title_that_nobody_can_see_is_refused(login, artist):
    clip = factories.clip(artist)
    answer = login(artist).post(f"/studio/clips/{clip.pk}/submissions/", {"title": "\u200b\u2060"})
    assert answer.status_code == 422
    assert not clip.submissions.exists()


def test_words_for_a_clip_that_waits_already_are_given_back(login, artist):
    waiting = factories.submission(artist=artist, title="First")
    words = {"title": "First", "statement": "A statement that took an hour."}
    answer = login(artist).post(f"/studio/clips/{waiting.clip_id}/submissions/", words)
    assert answer.status_code == 409
    assert words["statement"] in answer.text
