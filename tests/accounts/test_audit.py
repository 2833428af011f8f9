"""The chain of what people did: each act is in it, and none can be changed, dropped or added unseen."""

import io
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEntry, AuditHead, audit
from accounts.models.invitation import invite, revoke
from generation import queue
from review import gate, triggers
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def chain(artist):
    """Five entries of several kinds."""
    for number in range(3):
        audit.record("test.act", by=artist, subject=artist, words=f"words {number}")
    return AuditEntry.objects.order_by("sequence")


def verify() -> str:
    said = io.StringIO()
    call_command("audit", "verify", stdout=said)
    return said.getvalue().strip()


def complaint() -> str:
    with pytest.raises(CommandError) as found:
        verify()
    assert found.value.returncode == 1
    return str(found.value)


def tamper(sql: str, *values) -> None:
    """What somebody with the database's password could do, once the triggers are out of the way."""
    with gate_lowered(), connection.cursor() as cursor:
        cursor.execute(sql, values)


@contextmanager
def gate_lowered():
    """PostgreSQL changes no table whose foreign keys wait to be checked, as a test's transaction leaves them."""
    connection.check_constraints()
    triggers.lower_gate()
    yield
    connection.check_constraints()
    triggers.raise_gate()


TABLE = "accounts_auditentry"


def test_every_human_act_leaves_an_entry_by_whoever_did_it(artist, reviewer, admin):
    first, _ = invite("one@example.com", role="artist", cohort="First", by=admin)
    revoke(first, by=admin)
    queue.cancel(factories.job(artist), by=artist)
    publication = factories.publication(factories.submission(artist=artist))
    gate.take_down(publication, by=reviewer, reason="A test.")
    told = list(AuditEntry.objects.values_list("act", "by"))
    for act, by in (("invitation.created", admin), ("invitation.revoked", admin), ("job.cancelled", artist)):
        assert (act, by.pk) in told
    accepted = [by for act, by in told if act == "invitation.accepted"]
    assert {artist.pk, reviewer.pk, admin.pk} <= set(accepted)
    assert ("submission.created", artist.pk) in told
    assert ("publication.created", artist.pk) in told
    assert ("publication.taken_down", reviewer.pk) in told
    approver = publication.submission.decision.by_id
    assert approver not in (artist.pk, reviewer.pk)
    assert ("submission.approved", approver) in told
    assert verify() == f"The audit chain is whole: {len(told)} entries."


def test_an_act_undone_leaves_no_entry_and_an_entry_undone_no_gap(artist):
    before = AuditEntry.objects.count()
    with transaction.atomic():
        audit.record("test.act", by=artist, subject=artist)
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == before
    assert audit.record("test.act", by=artist, subject=artist).sequence == before + 1
    assert list(audit.broken_entries()) == []


def test_an_empty_chain_is_whole():
    assert verify() == "The audit chain is whole: 0 entries."


@pytest.mark.parametrize(
    "sql",
    [
        f"UPDATE {TABLE} SET words = 'other' WHERE sequence = 3",
        f"UPDATE {TABLE} SET act = 'other' WHERE sequence = 3",
        f"UPDATE {TABLE} SET entry_hash = 'x' WHERE sequence = 3",
        f"DELETE FROM {TABLE} WHERE sequence = 3",
        f"DELETE FROM {TABLE}",
    ],
)
def test_the_database_refuses_to_change_an_entry(chain, sql):
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert list(audit.broken_entries()) == []


@pytest.mark.parametrize(
    "change, said",
    [
        ("words = 'other words'", "Audit entry 4 has other words than were written."),
        ("salt = 'other salt'", "Audit entry 4 has other words than were written."),
        ("act = 'another.act'", "Audit entry 4 was changed."),
        ("subject = 'user:nobody'", "Audit entry 4 was changed."),
        ("by_id = NULL", "Audit entry 4 was changed."),
        ("digest = 'other'", "Audit entry 4 was changed."),
        ("previous_hash = 'other'", "Audit entry 4 doesn't follow the entry before it."),
        ("entry_hash = 'other'", "Audit entry 4 was changed."),
        ("sequence = 99", "Audit entry 4 is missing."),
    ],
)
def test_a_changed_entry_is_found_and_named(chain, change, said):
    tamper(f"UPDATE {TABLE} SET {change} WHERE sequence = 4")
    assert complaint() == said


def test_a_changed_time_is_found(chain):
    with gate_lowered():
        AuditEntry.objects.filter(sequence=2).update(at=timezone.now())
    assert complaint() == "Audit entry 2 was changed."


@pytest.mark.parametrize(
    "sequence, said", [(1, "1 is missing"), (3, "3 is missing"), (5, "5 is missing at the end of the chain")]
)
def test_a_deleted_entry_is_found_and_named(chain, sequence, said):
    assert chain.count() == 5
    tamper(f"DELETE FROM {TABLE} WHERE sequence = %s", sequence)
    assert complaint() == f"Audit entry {said}."


def test_an_entry_slipped_in_at_the_end_is_found(chain):
    last = chain.last()
    last.sequence, last.previous_hash, last.act = last.sequence + 1, last.entry_hash, "slipped.in"
    last.entry_hash = audit._entry_hash(last)
    AuditEntry.objects.bulk_create([last])
    assert complaint() == "Audit entry 6 was slipped in at the end of the chain."


def test_all_entries_gone_is_found(chain):
    tamper(f"DELETE FROM {TABLE}")
    assert complaint() == "Audit entry 1 is missing at the end of the chain."


def test_erasing_words_leaves_the_chain_whole(chain):
    AuditEntry.objects.filter(sequence=4).update(words="", salt="", erased_at=timezone.now())
    assert AuditEntry.objects.get(sequence=4).words == ""
    assert verify() == "The audit chain is whole: 5 entries."
    audit.record("test.act", by=None, subject=AuditHead.objects.get())
    assert list(audit.broken_entries()) == []


def test_words_put_in_the_place_of_erased_ones_are_found(chain):
    tamper(f"UPDATE {TABLE} SET words = 'never written', erased_at = at WHERE sequence = 4")
    assert complaint() == "Audit entry 4 has words although it says that they were erased."


def test_the_same_words_leave_different_digests(artist):
    """Or erased words could be guessed back from what stays."""
    digests = [audit.record("test.act", by=artist, subject=artist, words="the same").digest for _ in range(2)]
    assert digests[0] != digests[1]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_moment_make_one_chain():
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connections

    owner = factories.member()

    def write(_):
        try:
            for _ in range(10):
                audit.record("test.act", by=owner, subject=owner)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert AuditEntry.objects.filter(act="test.act").count() == 60
    assert list(audit.broken_entries()) == []
