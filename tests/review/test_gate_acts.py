"""The gate's acts to the letter: what each records, what each refuses, and what it says when a store fails.

Found by mutants: each of these tests kills one that every other test let live.
"""

import hashlib

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.backends import at_the_door
from accounts.models import AuditEntry, AuditHead, exclusion
from generation import storage
from review import gate, queue
from review.models import Claim, Decision, Publication, Submission
from review.permissions import Conflict, NotAllowed
from tests import factories
from tests.gate_sql import lowered, run

pytestmark = pytest.mark.django_db


def approved(**kwargs) -> Submission:
    submission = factories.submission(**kwargs)
    factories.decision(submission)
    return Submission.objects.get(pk=submission.pk)


# --- What is published -----------------------------------------------------------------------------------


def test_a_takedown_of_one_clip_keeps_no_other_from_its_publication():
    gate.take_down(ended := factories.publication(), by=ended.submission.artist)
    waiting = approved()
    assert gate.publish(waiting, by=waiting.artist)


def test_what_was_erased_after_its_approval_is_not_published():
    """Its words are gone: the text no longer has the hash that was approved."""
    submission = approved()
    words = {"title": "", "statement": "", "content": ""}
    Submission.objects.filter(pk=submission.pk).update(**words, erased_at=timezone.now())
    with pytest.raises(gate.NotPublishable, match="changed after it was approved"):
        gate.publish(submission, by=submission.artist)


def test_whole_content_that_is_not_the_approved_one_is_not_published():
    """The database refuses such a change, so the gate is lowered for it: two walls, each of which holds alone."""
    submission = approved()
    other = submission.content + " "
    with lowered():
        sql = "UPDATE review_submission SET content = %s, content_hash = %s WHERE content_hash = %s"
        run(sql, other, hashlib.sha256(other.encode()).hexdigest(), submission.content_hash)
    with pytest.raises(gate.NotPublishable, match="changed after it was approved"):
        gate.publish(submission, by=submission.artist)


# --- Who is told what ------------------------------------------------------------------------------------


def test_only_the_artist_and_staff_take_down_and_others_are_told_so():
    publication = factories.publication()
    with pytest.raises(NotAllowed, match="Only the artist, reviewers and admins"):
        gate.take_down(publication, by=factories.member())
    for by in (publication.submission.artist, factories.member("reviewer"), factories.member("admin")):
        gate.check_can_take_down(publication, by)


@pytest.mark.parametrize("out", [exclusion.suspend, exclusion.end])
def test_a_suspension_between_the_page_and_the_act_is_met_under_the_lock(reviewer, out):
    """The person as their request had loaded them, a moment before: each act asks anew, and says why."""
    submission, publication, own = factories.submission(), factories.publication(), approved()
    assert queue.claim(submission, by=reviewer)
    decider, artist = (at_the_door().get(pk=user.pk) for user in (reviewer, own.artist))
    for user in (decider, artist):
        out(user.membership, by=None, reason="A reason.")
    words = {"outcome": "approve", "content_hash": submission.content_hash}
    for act in (
        lambda: gate.decide(submission, by=decider, **words),
        lambda: gate.take_down(publication, by=decider),
        lambda: gate.publish(own, by=artist),
    ):
        with pytest.raises(NotAllowed, match="suspended or has ended"):
            act()
    assert not Decision.objects.filter(submission=submission).exists()
    assert list(Publication.objects.live()) == [publication]


def test_an_approval_with_reasons_for_a_refusal_is_refused_by_the_gate_itself(reviewer):
    submission = factories.submission()
    assert queue.claim(submission, by=reviewer)
    words = {"outcome": "approve", "content_hash": submission.content_hash, "reasons": ["hate"]}
    with pytest.raises(NotAllowed, match="An approval has no reasons for a refusal"):
        gate.decide(submission, by=reviewer, **words)
    assert not Decision.objects.exists()


def test_who_comes_second_with_a_takedown_is_told_that_their_reason_is_not_recorded(reviewer):
    publication = factories.publication()
    gate.take_down(publication, by=publication.submission.artist)
    with pytest.raises(Conflict, match="Your reason was not recorded"):
        gate.take_down(publication, by=reviewer, reason="Another reason.")


# --- What is recorded ------------------------------------------------------------------------------------


def entries() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("sequence").values_list("act", "words"))


def test_a_refusal_leaves_its_own_trace(reviewer):
    factories.decision(factories.submission(), "refuse", by=reviewer)
    assert ("submission.refused", "") in entries()
    assert ("submission.approved", "") not in entries()


def test_each_takedown_is_its_own_with_its_words_in_the_trace(reviewer):
    first, second = factories.publication(), factories.publication()
    made = [gate.take_down(first, by=reviewer, reason=" Why. "), gate.take_down(second, by=reviewer)]
    assert [(one.publication, one.reason) for one in made] == [(first, "Why."), (second, "")]
    assert entries()[-2:] == [("publication.taken_down", "Why."), ("publication.taken_down", "")]


# --- What an act changes besides, and what not -----------------------------------------------------------


def test_a_decision_ends_its_own_claim_and_no_other(reviewer):
    submission, other = factories.submission(), factories.submission()
    assert queue.claim(other, by=factories.member("reviewer"))
    factories.decision(submission, by=reviewer)
    assert [claim.submission for claim in Claim.objects.all()] == [other]


def test_no_act_is_half_done_when_its_trace_can_not_be_written(reviewer):
    """In the gate's own transaction: nothing around it would undo the rest."""
    waiting, own, publication = factories.submission(), approved(), factories.publication()
    assert queue.claim(waiting, by=reviewer)
    AuditHead.objects.update(sequence=0)  # the chain's next entry collides with its first
    with pytest.raises(IntegrityError):
        gate.decide(waiting, by=reviewer, outcome="approve", content_hash=waiting.content_hash)
    assert not Decision.objects.filter(submission=waiting).exists()
    assert Claim.objects.filter(submission=waiting).exists()
    with pytest.raises(IntegrityError):
        gate.publish(own, by=own.artist)
    with pytest.raises(IntegrityError):
        gate.take_down(publication, by=reviewer)
    assert list(Publication.objects.live()) == [publication]


# --- When a store fails ----------------------------------------------------------------------------------


def logged(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "review.gate"]


def test_files_that_can_not_be_put_in_place_are_told_by_id_alone(caplog):
    publication = factories.publication(title="A secret title")
    storage.public().delete_folder(publication.slug)
    video = publication.submission.work["files"]["video"]["sha256"]
    storage.private().path(storage.private_name(video)).write_bytes(b"other bytes")
    assert gate.put_files_in_place(publication) is False
    assert logged(caplog) == [f"the files of publication {publication.pk} could not be put in place"]
    assert caplog.records[-1].exc_info[0] is storage.Damaged
    assert "A secret title" not in caplog.text


def test_files_that_can_not_be_removed_are_told_by_id_and_the_takedown_holds(caplog, reviewer):
    publication = factories.publication()
    storage.public().delete_folder(publication.slug)
    storage.public().path(publication.slug).write_bytes(b"a file where a folder was")
    made = gate.take_down(publication, by=reviewer, reason=" Why. ")
    assert logged(caplog) == [f"the files of publication {publication.pk} could not be removed"]
    assert made.reason == "Why."


def test_a_store_that_is_away_shows_no_files_and_is_told(caplog):
    publication = factories.publication()
    assert gate.has_its_files(publication)
    storage.public().delete_folder(publication.slug)
    storage.public().path(publication.slug).write_bytes(b"a file where a folder was")
    assert gate.has_its_files(publication) is False
    assert logged(caplog) == ["the public store doesn't answer"]


def test_nothing_is_put_in_place_for_what_was_taken_down_meanwhile(reviewer):
    """A copy under way knows nothing of the takedown: it looks again when it is done, and clears away."""
    publication = factories.publication()
    assert gate.put_files_in_place(publication) is True
    gate.take_down(publication, by=reviewer)
    assert gate.put_files_in_place(publication) is False
    assert not gate.has_its_files(publication)
    other = factories.publication()
    assert gate.put_files_in_place(other) is True, "another one's takedown is none of its business"
    assert gate.has_its_files(other)
