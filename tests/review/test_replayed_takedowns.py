"""A takedown replayed after a restore, to the letter: what it records, in whose name, and what it leaves alone."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.models import AuditEntry, AuditHead, User
from generation import storage
from review import gate, journal
from review.gate import Replayed
from review.models import Publication, Submission, Takedown
from review.permissions import NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db
LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def approved() -> Submission:
    submission = factories.submission()
    factories.decision(submission)
    return Submission.objects.get(pk=submission.pk)


def again(publication: Publication, **changes) -> Replayed:
    told = {"slug": publication.slug, "content_hash": publication.content_hash, "at": LONG_AGO, "by": None}
    return gate.replay_takedown(str(publication.pk), **told | changes)


def of_an_approval(submission: Submission, **changes) -> Replayed:
    """As the journal tells of a publication that this database, being older, has never seen."""
    told = {"slug": "abcdefghijkm", "content_hash": submission.content_hash, "at": LONG_AGO, "by": None}
    return gate.replay_takedown(str(uuid.uuid4()), **told | changes)


def entries() -> list[tuple]:
    return list(AuditEntry.objects.order_by("sequence").values_list("act", "by", "subject", "words"))


def test_what_this_database_thinks_public_is_ended_again(
    reviewer, settings, django_capture_on_commit_callbacks
):
    gate.take_down(earlier := factories.publication(), by=reviewer)
    publication, other = factories.publication(), factories.publication()
    before = entries()
    with django_capture_on_commit_callbacks(execute=True):
        assert again(publication, by=reviewer) is Replayed.AGAIN
    takedown = Takedown.objects.get(publication=publication)
    assert (takedown.by, takedown.at) == (reviewer, LONG_AGO)
    assert takedown.reason == "Replayed from the journal after a restore; the reason given then is not in it."
    subject = f"publication:{publication.pk}"
    assert entries() == [*before, ("publication.taken_down", reviewer.pk, subject, takedown.reason)]
    assert [(act.act, act.subject) for act in journal.read()] == [(journal.TAKEN_DOWN, str(publication.pk))]
    assert not gate.has_its_files(publication)
    assert gate.has_its_files(other)
    assert list(Publication.objects.live()) == [other]
    assert Takedown.objects.get(publication=earlier).reason == ""


def test_what_was_over_in_this_database_too_gets_no_second_record_and_loses_its_files(reviewer):
    publication = factories.publication()
    gate.take_down(publication, by=reviewer)
    storage.public().path(publication.slug).mkdir(parents=True, exist_ok=True)
    storage.public().path(f"{publication.slug}/video").write_bytes(b"left over")
    before = entries()
    assert again(publication) is Replayed.ALREADY
    assert Takedown.objects.get().by == reviewer
    assert entries() == before
    assert not storage.public().path(publication.slug).exists()


def test_a_time_that_the_journal_lost_is_now(reviewer):
    publication, before = factories.publication(), timezone.now()
    again(publication, at=None, by=reviewer)
    assert before <= Takedown.objects.get().at <= timezone.now()


def test_what_a_backup_approved_but_never_saw_public_is_recorded_with_its_end(
    admin, settings, django_capture_on_commit_callbacks
):
    """Each of several, so that none is found by luck; and the approval can't make it public any more."""
    submissions = [approved() for _number in range(3)]
    for number, submission in enumerate(submissions):
        before, slug = entries(), f"abcdefghijk{number + 2}"
        with django_capture_on_commit_callbacks(execute=True):
            assert of_an_approval(submission, slug=slug, by=admin) is Replayed.AGAIN
        publication = Publication.objects.get(slug=slug)
        assert publication.submission == submission
        assert (publication.content_hash, publication.by) == (submission.content_hash, submission.artist)
        subject, reason = (
            f"publication:{publication.pk}",
            Takedown.objects.get(publication=publication).reason,
        )
        assert entries() == [
            *before,
            ("publication.created", submission.artist_id, subject, ""),
            ("publication.taken_down", admin.pk, subject, reason),
        ]
        assert str(publication.pk) in {act.subject for act in journal.read()}
        with pytest.raises(gate.NotPublishable, match="was taken down"):
            gate.publish(submission, by=submission.artist)
    assert not Publication.objects.live().exists()


def test_it_keeps_the_name_by_which_the_journal_knows_it(admin):
    pk = uuid.uuid4()
    submission = approved()
    told = {"slug": "abcdefghijkm", "content_hash": submission.content_hash, "at": LONG_AGO, "by": admin}
    assert gate.replay_takedown(str(pk), **told) is Replayed.AGAIN
    assert Publication.objects.get().pk == pk
    assert gate.replay_takedown(str(pk), **told) is Replayed.ALREADY


def test_what_was_never_approved_here_or_has_no_address_is_told_and_not_recorded(admin):
    submission, publication = approved(), factories.publication()
    before = entries()
    assert of_an_approval(submission, content_hash="0" * 64) is Replayed.UNKNOWN
    assert of_an_approval(submission, content_hash=None) is Replayed.UNKNOWN
    for slug in (None, ""):
        assert of_an_approval(submission, slug=slug) is Replayed.UNKNOWN
    assert of_an_approval(publication.submission) is Replayed.UNKNOWN, "it has another publication"
    assert entries() == before
    assert list(Publication.objects.live()) == [publication]
    assert gate.has_its_files(publication)


def test_an_author_who_is_not_in_the_backup_is_replaced_by_its_first_admin():
    """First by time, and of those that came at once by key: the same one whenever it is asked."""
    factories.member("reviewer")
    User.objects.update(date_joined=LONG_AGO - timedelta(days=9))
    admins = [factories.member("admin") for _number in range(6)]
    User.objects.filter(pk__in=[one.pk for one in admins]).update(date_joined=LONG_AGO)
    again(publication := factories.publication())
    assert Takedown.objects.get(publication=publication).by == min(admins, key=lambda one: one.pk)
    earliest = max(admins, key=lambda one: one.pk)
    User.objects.filter(pk=earliest.pk).update(date_joined=LONG_AGO - timedelta(days=1))
    again(publication := factories.publication())
    assert Takedown.objects.get(publication=publication).by == earliest


def test_without_anybody_to_name_nothing_is_recorded():
    publication, submission = factories.publication(), approved()
    before = entries()
    for act in (lambda: again(publication), lambda: of_an_approval(submission)):
        with pytest.raises(NotAllowed, match="no admin is"):
            act()
    assert entries() == before
    assert list(Publication.objects.all()) == [publication]


def test_nothing_is_half_done_when_the_trace_can_not_be_written(admin):
    publication, submission = factories.publication(), approved()
    AuditHead.objects.update(sequence=0)  # the chain's next entry collides with its first
    for act in (lambda: again(publication), lambda: of_an_approval(submission)):
        with pytest.raises(IntegrityError):
            act()
    assert list(Publication.objects.live()) == [publication]


@pytest.mark.parametrize("act", ["take_down", "replay"])
def test_a_journal_that_fails_as_nobody_foresaw_undoes_no_takedown(
    act, admin, settings, django_capture_on_commit_callbacks
):
    """The sweep writes it later; who took the clip down has done all they could."""
    publication, settings.JOURNAL = factories.publication(), None
    with django_capture_on_commit_callbacks(execute=True):
        if act == "replay":
            again(publication, by=admin)
        else:
            gate.take_down(publication, by=admin)
    assert Takedown.objects.get().publication == publication
    assert not gate.has_its_files(publication)
