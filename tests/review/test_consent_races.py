"""An artist takes back what is just going public, on PostgreSQL, in threads: one of them wins, and never both."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import audit
from generation import storage
from review import consenting, gate, scheduling
from review.models import Consent, ConsentedUse, Publication, Schedule, ScheduleEnd, Submission, Takedown
from review.permissions import NotAllowed
from tests import factories
from tests.gate_sql import lowered

from .racing import at_once, held_up

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"),
]
ROUNDS = 5


def approved(**words) -> Submission:
    submission = factories.submission(**words)
    factories.decision(submission)
    return Submission.objects.get(pk=submission.pk)


def due(submission) -> Schedule:
    now = timezone.now()
    held = scheduling.schedule(
        submission, by=submission.artist, publish_at=now + timedelta(days=1), zone="UTC"
    )
    with lowered():
        past = {"at": now - timedelta(days=2), "publish_at": now - timedelta(seconds=1)}
        Schedule.objects.filter(pk=held.pk).update(**past)
    return held


def trying(act):
    """What comes of an act: True, or the sentence of its refusal."""

    def tried():
        try:
            act()
        except NotAllowed as refusal:
            return str(refusal)
        return True

    return tried


def never_public_without_consent(submission) -> None:
    live = Publication.objects.live().filter(approval__submission=submission).first()
    allowed = Consent.objects.live().filter(submission=submission, use="gallery").exists()
    assert live is None or allowed
    root = storage.public().root
    found = {path.parent.name for path in root.rglob("*") if path.is_file()}
    assert found == ({live.slug} if live else set())


def test_revoking_the_gallery_races_publishing_and_both_orders_end_well():
    seen = Counter()
    for _round in range(ROUNDS * 2):
        submission = approved()
        publishing = trying(lambda on=submission: gate.publish(on, by=on.artist))
        revoking = trying(lambda on=submission: consenting.revoke(on, by=on.artist, use="gallery"))
        published, revoked = held_up(Submission, submission.pk, publishing, revoking)
        assert revoked is True
        assert published is True or "revoked your consent" in published
        assert not Publication.objects.live().filter(approval__submission=submission).exists()
        assert Takedown.objects.filter(publication__approval__submission=submission).exists() == (
            published is True
        )
        never_public_without_consent(submission)
        seen[published is True] += 1
    assert sum(seen.values()) == ROUNDS * 2
    assert list(audit.broken_entries()) == []


def test_revoking_the_gallery_races_an_approval_that_publishes():
    for _round in range(ROUNDS):
        submission = factories.submission(publish_on_approval=True)
        revoking = trying(lambda on=submission: consenting.revoke(on, by=on.artist, use="gallery"))
        deciding = trying(lambda on=submission: factories.decision(on))
        assert at_once(revoking, deciding) == [True, True]
        assert not Publication.objects.live().filter(approval__submission=submission).exists()
        never_public_without_consent(submission)


def test_two_workers_publish_what_is_due_once():
    for _round in range(ROUNDS):
        submission = approved()
        held = due(submission)
        assert sum(at_once(*[scheduling.publish_due] * 3)) <= 1
        scheduling.publish_due()  # each may have left it to another that held the row
        assert Publication.objects.filter(approval__submission=submission).count() == 1
        assert ScheduleEnd.objects.get(schedule=held).outcome == "published"
        assert submission.artist.notices.filter(kind="schedule-kept").count() == 1


def test_what_is_called_off_while_it_comes_due_is_either_public_or_called_off():
    for _round in range(ROUNDS):
        submission = approved()
        held = due(submission)
        calling = trying(lambda on=submission: scheduling.call_off(on, by=on.artist))
        called, _ended = at_once(calling, scheduling.publish_due)
        outcome = ScheduleEnd.objects.get(schedule=held).outcome
        public = Publication.objects.filter(approval__submission=submission).exists()
        assert (called is True, public) == (outcome == "called-off", outcome == "published")


def test_a_set_time_racing_a_takedown_of_what_was_published_by_hand():
    for _round in range(ROUNDS):
        submission = approved()
        held = due(submission)
        public = gate.publish(submission, by=submission.artist)
        at_once(lambda on=public: gate.take_down(on, by=on.by), scheduling.publish_due)
        scheduling.publish_due()
        assert ScheduleEnd.objects.get(schedule=held).outcome in ("published", "taken-down")
        assert Publication.objects.get(approval__submission=submission).takedown
        never_public_without_consent(submission)


def test_a_use_racing_the_revocation_of_its_consent_comes_first_or_not_at_all():
    admin = factories.member("admin")
    for _round in range(ROUNDS):
        public = factories.publication(consents=["press"])
        submission, consent = (
            public.submission,
            Consent.objects.get(submission=public.submission, use="press"),
        )
        using = trying(lambda of=consent: consenting.use(of, by=admin, place="Here."))
        revoking = trying(lambda on=submission: consenting.revoke(on, by=on.artist, use="press"))
        used, revoked = held_up(Submission, submission.pk, using, revoking)
        assert revoked is True
        assert ConsentedUse.objects.filter(consent=consent).exists() == (used is True)
        assert used is True or "has revoked this" in used
        gate.take_down(public, by=submission.artist)


def test_two_clicks_on_allow_are_one_consent():
    for _round in range(ROUNDS):
        submission = factories.submission()
        allowing = trying(lambda on=submission: consenting.allow(on, by=on.artist, use="press"))
        assert held_up(Submission, submission.pk, allowing, allowing) == [True, True]
        assert Consent.objects.filter(submission=submission, use="press").count() == 1
