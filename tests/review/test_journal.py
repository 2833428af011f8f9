"""The journal outside of the database: every ending is in it, by ids alone, and none is lost while it is away."""

import json

import pytest

from accounts.models import exclusion
from accounts.models.invitation import invite, revoke
from review import gate, journal, replay, sweep
from review.models import Takedown
from tests import factories
from tests.buckets import NOWHERE

pytestmark = pytest.mark.django_db


@pytest.fixture
def commits(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


def written(settings) -> dict[str, str]:
    root = settings.JOURNAL
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_a_takedown_is_journaled_at_once_by_ids_alone(commits, settings, reviewer):
    publication = factories.publication(title="A secret title", statement="A secret statement")
    with commits():
        gate.take_down(publication, by=reviewer, reason="A secret reason")
    ((name, text),) = written(settings).items()
    entry = gate.audit.AuditEntry.objects.get(act="publication.taken_down")
    assert name == f"publication.taken_down/{publication.pk}/{entry.entry_hash}"
    assert json.loads(text) == {
        "at": entry.at.isoformat(),
        "by": str(reviewer.pk),
        "subject": str(publication.pk),
        "slug": publication.slug,
        "content_hash": publication.content_hash,
    }
    assert "secret" not in text


def test_a_takedown_that_was_undone_is_not_journaled(commits, settings):
    from django.db import transaction

    publication = factories.publication()
    with commits(), transaction.atomic():
        gate.take_down(publication, by=publication.submission.artist)
        transaction.set_rollback(True)
    assert not settings.JOURNAL.exists()


def test_a_journal_that_is_away_stops_no_takedown_and_gets_it_later(commits, settings, caplog, login):
    publication = factories.publication()
    settings.JOURNAL.write_text("a file where the folder should be")
    with commits():
        gate.take_down(publication, by=publication.submission.artist)
    assert login().get(f"/watch/{publication.slug}/").status_code == 410
    assert "could not be journaled" in caplog.text
    assert sweep.sweep().unjournaled == 1
    settings.JOURNAL.unlink()
    assert sweep.sweep().unjournaled == 0
    assert [act.subject for act in journal.read()] == [str(publication.pk)]
    before = written(settings)
    sweep.sweep()
    assert written(settings) == before


def test_the_sweep_journals_what_admins_ended(settings, admin, artist):
    suspension = exclusion.suspend(artist.membership, by=admin, reason="A secret reason")
    exclusion.lift(suspension, by=admin, reason="A secret reason")
    exclusion.end(factories.member().membership, by=admin, reason="A secret reason")
    invitation, _ = invite("secret@example.com", role="artist", cohort="First", by=admin)
    revoke(invitation, by=admin)
    sweep.sweep()
    acts = [(act.act, act.by) for act in journal.read()]
    names = [journal.SUSPENDED, journal.LIFTED, journal.ENDED, journal.REVOKED]
    assert acts == [(name, str(admin.pk)) for name in names]
    assert "secret" not in "".join(written(settings).values())


def test_a_journal_in_a_bucket(commits, settings, a_bucket):
    settings.JOURNAL = a_bucket("journal")
    publication = factories.publication()
    with commits():
        gate.take_down(publication, by=publication.submission.artist)
    assert [act.subject for act in journal.read()] == [str(publication.pk)]
    settings.JOURNAL = settings.JOURNAL.__class__("b-1", "", NOWHERE, "us-east-1")
    assert sweep.sweep().unjournaled == 1


def test_replaying_what_this_house_did_itself_changes_nothing(commits, artist, admin):
    publication = factories.publication()
    with commits():
        gate.take_down(publication, by=publication.submission.artist)
    exclusion.lift(exclusion.suspend(artist.membership, by=admin, reason="A reason."), by=admin)
    sweep.sweep()
    assert replay.replay() == []
    assert Takedown.objects.count() == 1
    assert not exclusion.is_kept_out(artist)


def test_a_file_that_was_cut_short_is_read_by_its_name(commits, settings, admin, caplog):
    publication, other = factories.publication(), factories.publication()
    with commits():
        gate.take_down(other, by=other.submission.artist)
    cut = settings.JOURNAL / journal.TAKEN_DOWN / str(publication.pk) / ("0" * 64)
    cut.parent.mkdir(parents=True)
    for half in (b"", b'{"at": "2026-11', b"[]", b'{"at": 5}', b"\xff\xfe"):
        cut.write_bytes(half)
        assert {act.subject for act in journal.read()} == {str(publication.pk), str(other.pk)}
    assert replay.replay() == [f"Publication {publication.pk} is taken down again."]
    assert Takedown.objects.get(publication=publication).by == admin
    assert "is damaged; its name tells what was ended" in caplog.text


def test_a_journal_lies_in_no_store():
    from django.core.exceptions import ImproperlyConfigured

    from tests.test_settings import read

    for url in ("file:///srv/private/journal", "file:///srv"):
        with pytest.raises(ImproperlyConfigured, match="SORAHUB_JOURNAL_URL must be a place outside"):
            read(STORAGE_URL="file:///srv/private", SORAHUB_JOURNAL_URL=url)
