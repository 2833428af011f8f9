"""Whoever is suspended or has ended does nothing more at the gate, however they come to it."""

import pytest

from accounts.backends import at_the_door
from accounts.models import User, exclusion
from generation import storage
from review import gate, queue, sealing
from review.models import Decision, Publication, Submission, Takedown

from .. import factories

pytestmark = pytest.mark.django_db
SENTENCE = "Your membership is suspended or has ended."


def suspended(user):
    exclusion.suspend(user.membership, by=None, reason="To look into something.")
    return user


def ended(user):
    exclusion.end(user.membership, by=None, reason="The program is over for you.")
    return user


both_ways_out = pytest.mark.parametrize("kept_out", [suspended, ended])


@both_ways_out
def test_a_reviewer_with_a_live_claim_decides_nothing(reviewer, kept_out):
    waiting = factories.submission()
    assert queue.claim(waiting, by=reviewer)
    known_from_before = at_the_door().get(pk=reviewer.pk)  # as a request that began a moment ago
    kept_out(reviewer)
    for who in (reviewer, known_from_before):
        with pytest.raises(gate.NotAllowed):
            gate.decide(waiting, by=who, outcome="approve", content_hash=waiting.content_hash)
    assert not Decision.objects.exists()


@both_ways_out
def test_a_submission_whose_files_were_still_being_looked_at_comes_too_late(
    login, artist, kept_out, monkeypatch
):
    clip, reading = factories.clip(artist), storage.FolderStore.holds

    def slowly(store, name, *, size):
        if not exclusion.is_kept_out(User(pk=artist.pk)):
            kept_out(artist)
        return reading(store, name, size=size)

    monkeypatch.setattr(storage.FolderStore, "holds", slowly)
    answer = login(artist).post(f"/studio/clips/{clip.pk}/submissions/", {"title": "A", "statement": "B"})
    assert (answer.status_code, SENTENCE in answer.text) == (422, True)
    assert not Submission.objects.exists()


@both_ways_out
def test_what_was_submitted_before_goes_on_to_the_desk_but_not_further(artist, kept_out):
    """A suspension takes nothing back: reviewers decide on it as on what had reached them before."""
    sent = sealing.submit(
        factories.clip(artist), by=artist, title="A", statement="", publish_on_approval=True
    )
    kept_out(artist)
    factories.decision(factories.prepared(sent))
    assert not Publication.objects.exists()


@both_ways_out
def test_an_artist_publishes_nothing_that_was_approved_before(artist, kept_out):
    approved = factories.submission(artist=artist)
    factories.decision(approved)
    kept_out(artist)
    with pytest.raises(gate.NotAllowed, match=SENTENCE):
        gate.publish(approved, by=artist)
    assert not Publication.objects.exists()


@both_ways_out
def test_an_approval_does_not_publish_for_an_artist_who_is_away(artist, kept_out):
    waiting = factories.submission(artist=artist, publish_on_approval=True)
    kept_out(artist)
    decision = factories.decision(waiting)
    assert decision.is_approval
    assert not Publication.objects.exists()


def test_after_the_lift_the_artist_publishes_what_was_approved_meanwhile(artist):
    waiting = factories.submission(artist=artist, publish_on_approval=True)
    suspension = exclusion.suspend(artist.membership, by=None, reason="A mistake.")
    factories.decision(waiting)
    exclusion.lift(suspension, by=None)
    assert gate.publish(waiting, by=artist) == Publication.objects.get()


@both_ways_out
def test_nobody_kept_out_takes_anything_down(artist, reviewer, kept_out):
    public = factories.publication(artist=artist)
    for who in (artist, reviewer):
        kept_out(who)
        with pytest.raises(gate.NotAllowed, match=SENTENCE):
            gate.take_down(public, by=who, reason="A reason.")
    assert not Takedown.objects.exists()


@both_ways_out
def test_what_is_public_stays_public_and_nobody_else_is_touched(login, artist, kept_out):
    public, colleague = factories.publication(artist=artist), factories.member()
    theirs = login(colleague)
    kept_out(artist)
    assert login().get(f"/watch/{public.slug}/").status_code == 200
    assert login().get(f"/watch/{public.slug}/video.mp4").status_code == 200
    assert theirs.get("/studio/").status_code == 200


@both_ways_out
def test_a_session_of_theirs_is_worth_nothing_at_the_next_request(login, artist, kept_out):
    open_tab, clip = login(artist), factories.clip(artist)
    assert open_tab.get(f"/studio/clips/{clip.pk}/video.mp4").status_code == 200
    kept_out(artist)
    for path in ("/studio/", f"/studio/clips/{clip.pk}/", f"/studio/clips/{clip.pk}/video.mp4"):
        assert open_tab.get(path).headers["Location"] == f"/accounts/login/?next={path}"


@both_ways_out
def test_a_new_login_leads_to_one_page_only(login, artist, kept_out):
    clip = factories.clip(artist)
    kept_out(artist)
    back = login(User.objects.get(pk=artist.pk))
    for path in ("/studio/", "/home/", f"/studio/clips/{clip.pk}/", f"/studio/clips/{clip.pk}/video.mp4"):
        assert back.get(path).headers["Location"] == "/standing/", path
    assert back.get("/studio/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/standing/"
    assert (
        back.post(f"/studio/clips/{clip.pk}/submissions/", {"title": "A"}).headers["Location"] == "/standing/"
    )
    assert back.get("/standing/").status_code == 200
    assert back.get("/").status_code == 200


@both_ways_out
def test_somebody_else_s_exclusion_stands_in_nobody_s_way_at_the_gate(artist, kept_out):
    kept_out(factories.member())
    waiting = factories.submission(artist=artist, publish_on_approval=True)
    factories.decision(waiting)
    public = Publication.objects.get()
    assert gate.publish(waiting, by=artist) == public
    assert gate.take_down(public, by=artist) == Takedown.objects.get()
