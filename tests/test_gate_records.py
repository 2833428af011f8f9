"""A record of the gate is written once: no SQL changes, deletes or replaces it, and only its words can be erased."""

import uuid

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import AuditEntry, audit
from review import triggers

from . import factories
from .gate_sql import (
    TABLES,
    a_row,
    every_table,
    fresh_id,
    insert,
    key,
    lowered,
    new_decision,
    new_submission,
    postgres_only,
    refused,
    run,
    sqlite_only,
)

pytestmark = pytest.mark.usefixtures("gate_database")

# --- Records are for ever ------------------------------------------------------------------------


@every_table
def test_no_record_is_updated(table):
    column = "title" if table == "review_submission" else TABLES[table]
    refused(f"UPDATE {table} SET {column} = {column} WHERE {column} IS NOT NULL")


@every_table
def test_no_column_of_a_record_is_changed(table):
    row = a_row(table, "by_id IS NOT NULL" if table == "accounts_auditentry" else _erasable(table))
    for column, value in row.items():
        changed = {
            bool: lambda v: not v,
            int: lambda v: v + 1000,
            str: lambda v: "0" + v[1:] if v[:1] != "0" else "1" + v[1:],
            uuid.UUID: lambda v: uuid.uuid4(),
        }.get(type(value), lambda v: timezone.now())(value)
        if isinstance(value, str) and not value:
            changed = "x"
        if value is None and column in ("job", "by_id", "viewer_id"):
            changed = fresh_id()
        refused(f"UPDATE {table} SET {column} = %s WHERE {TABLES[table]} = %s", changed, row[TABLES[table]])


@every_table
def test_no_record_is_deleted(table):
    refused(f"DELETE FROM {table}")
    refused(f"WITH one AS (SELECT 1 AS n) DELETE FROM {table} WHERE 1 IN (SELECT n FROM one)")


@every_table
def test_no_record_is_written_over_by_an_upsert(table):
    pk = TABLES[table]
    row = a_row(table)
    if table == "review_submission":
        row |= {"content_hash": None, "sealed_at": None, "content": ""}
    refused(*insert(row, table, tail=f"ON CONFLICT ({pk}) DO UPDATE SET {pk} = excluded.{pk}"))
    refused(*insert(row, table, tail="ON CONFLICT DO NOTHING"))


@sqlite_only
@every_table
@pytest.mark.parametrize("verb", ["REPLACE INTO", "INSERT OR REPLACE INTO", "INSERT OR IGNORE INTO"])
def test_no_record_is_replaced_through_any_of_its_keys(table, verb):
    for identity in triggers.IDENTITY[table]:
        row = a_row(table, _erasable(table))
        kept = identity.split(",")
        changes = {"id": None if isinstance(row.get("id"), int) else fresh_id(), "slug": "z" * 12}
        changes |= {"sequence": 9999, "entry_hash": "f" * 64, "kind": "sprite", "version": 77}
        changes |= (
            {"content_hash": None, "sealed_at": None, "content": ""} if table == "review_submission" else {}
        )
        row |= {name: value for name, value in changes.items() if name in row and name not in kept}
        refused(*insert(row, table, verb))


UNLIKE = {  # what keeps a new row clear of the old one's keys, where the primary key isn't SQLite's rowid already
    "accounts_auditentry": {"sequence": 9999, "entry_hash": "f" * 64},
    "review_publication": {"id": uuid.uuid4().hex, "slug": "z" * 12, "approval_id": 10_000},
    "review_submission": {
        "id": uuid.uuid4().hex,
        "version": 77,
        "content_hash": None,
        "sealed_at": None,
        "content": "",
    },
}


@sqlite_only
@pytest.mark.parametrize("table", UNLIKE)
def test_no_record_is_replaced_through_its_hidden_rowid(table):
    row = a_row(table)
    row["rowid"] = run(f"SELECT rowid FROM {table} WHERE {TABLES[table]} = %s", row[TABLES[table]])[0][0]
    refused(*insert(row | UNLIKE[table], table, "REPLACE INTO"))


def _erasable(table):
    """Such a row as has a value in each column that identifies it."""
    return {
        "review_submission": "content_hash IS NOT NULL AND id NOT IN (SELECT submission_id FROM review_decision)",
        "accounts_allowanceentry": "job IS NOT NULL",
    }.get(table, "1 = 1")


@postgres_only
@every_table
def test_no_table_is_truncated(table):
    refused(f"TRUNCATE {table} CASCADE")


@postgres_only
@every_table
def test_a_replica_session_is_refused_like_any_other(table):
    pk = "title" if table == "review_submission" else TABLES[table]
    with transaction.atomic():
        run("SET LOCAL session_replication_role = replica")
        refused(f"UPDATE {table} SET {pk} = {pk}")
        refused(f"DELETE FROM {table}")
        refused(f"TRUNCATE {table} CASCADE")
        run("SET LOCAL session_replication_role = DEFAULT")


@postgres_only
@every_table
def test_writes_inside_a_query_are_refused(table):
    pk = "title" if table == "review_submission" else TABLES[table]
    refused(f"WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT count(*) FROM gone")
    refused(f"WITH changed AS (UPDATE {table} SET {pk} = {pk} RETURNING 1) SELECT count(*) FROM changed")
    refused(f"MERGE INTO {table} USING (SELECT 1) one ON TRUE WHEN MATCHED THEN DELETE")
    refused(
        f"MERGE INTO {table} USING (SELECT 1) one ON TRUE WHEN MATCHED THEN UPDATE SET {pk} = {table}.{pk}"
    )


# --- Erasure: once, whole, and nothing besides ---------------------------------------------------------

ERASABLE = {
    "accounts_answer": ("text",),
    "accounts_auditentry": ("words", "salt"),
    "accounts_ending": ("reason",),
    "accounts_factorreset": ("reason",),
    "accounts_lift": ("reason",),
    "accounts_objection": ("text",),
    "accounts_pause": ("reason",),
    "accounts_suspension": ("reason",),
    "review_decision": ("note",),
    "review_pass": ("reason",),
    "review_question": ("text",),
    "review_recusal": ("reason",),
    "review_remark": ("text", "drawing"),
    "review_reply": ("text",),
    "review_secondlook": ("note",),
    "review_submission": ("title", "statement", "content"),
    "review_takedown": ("reason",),
}
SPOILED = {table: ("at", timezone.now()) for table in ERASABLE} | {
    "accounts_auditentry": ("act", "another.act"),
    "review_decision": ("reasons", "hate"),
    "review_pass": ("at", timezone.now()),
    "review_question": ("at", timezone.now()),
    "review_recusal": ("at", timezone.now()),
    "review_remark": ("first_frame", 2),
    "review_reply": ("at", timezone.now()),
    "review_secondlook": ("outcome", "refuse"),
    "review_submission": ("discloses_recipe", True),
}


def erasure(table, *, without=(), **more) -> tuple:
    """An UPDATE that erases one row of the table, less some columns, and with others besides."""
    row = a_row(table, _erasable(table) + (" AND outcome = 'refuse'" if table == "review_decision" else ""))
    values = {column: "" for column in ERASABLE[table]} | {"erased_at": timezone.now()} | more
    values = {column: value for column, value in values.items() if column not in without}
    holes = ", ".join(f"{column} = %s" for column in values)
    pk = TABLES[table]
    return (f"UPDATE {table} SET {holes} WHERE {pk} = %s", *values.values(), row[pk])


@pytest.mark.parametrize("table", ERASABLE)
def test_words_can_be_erased_once(table):
    act = erasure(table)
    run(*act)
    emptied = a_row(table, f"{TABLES[table]} = %s", act[-1])
    assert [emptied[column] for column in ERASABLE[table]] == [""] * len(ERASABLE[table])
    refused(*act)
    refused(f"UPDATE {table} SET erased_at = NULL WHERE {TABLES[table]} = %s", act[-1])
    refused(f"UPDATE {table} SET {ERASABLE[table][0]} = 'back' WHERE {TABLES[table]} = %s", act[-1])


@pytest.mark.parametrize("table", ERASABLE)
def test_an_erasure_changes_nothing_besides(table):
    column, value = SPOILED[table]
    refused(*erasure(table, **{column: value}))
    refused(*erasure(table, without=["erased_at"]))
    for column in ERASABLE[table]:
        refused(*erasure(table, **{column: "other words"}))


@sqlite_only
@pytest.mark.parametrize("table", ERASABLE)
def test_an_erasure_does_not_push_another_record_out(table):
    statement, *params = erasure(table)
    refused(
        statement.replace(" SET ", " SET rowid = rowid + 1, ").replace("UPDATE", "UPDATE OR REPLACE"), *params
    )


@pytest.mark.parametrize("table", [name for name in TABLES if name not in ERASABLE])
def test_what_holds_no_words_is_never_erased(table):
    assert "erased_at" not in a_row(table)


def test_no_record_is_born_erased(made):
    """Erasure excuses a refusal from its note, so a refusal must not begin with it."""
    by = factories.member("reviewer")
    refused(*new_decision(made.waiting, by, outcome="refuse", note="", erased_at=timezone.now()))
    refused(*new_submission(made.bare, erased_at=timezone.now()))
    for table in ("answer", "ending", "factorreset", "lift", "objection", "pause", "suspension"):
        born = a_row(f"accounts_{table}") | {"erased_at": timezone.now()}
        born |= {"id": 9999}  # its other keys are met by other triggers first, which is as well
        refused(*insert(born, f"accounts_{table}"))
    takedown = a_row("review_takedown") | {"publication_id": key(made.live), "erased_at": timezone.now()}
    takedown.pop("id")
    refused(*insert(takedown, "review_takedown"))
    entry = a_row("accounts_auditentry") | {
        "sequence": 9999,
        "entry_hash": "f" * 64,
        "erased_at": timezone.now(),
    }
    refused(*insert(entry, "accounts_auditentry"))


def test_half_an_erasure_is_refused(made):
    refused(*erasure("review_submission", without=["content"]))
    words = a_row("accounts_auditentry", "words <> ''")
    half = "UPDATE accounts_auditentry SET words = '', erased_at = %s WHERE sequence = %s"
    refused(half, timezone.now(), words["sequence"])


def test_the_audit_chain_survives_an_erasure_and_tells_of_any_other_change():
    run(*erasure("accounts_auditentry"))
    assert list(audit.broken_entries()) == []
    last = AuditEntry.objects.order_by("-sequence").first()
    with lowered():
        run("UPDATE accounts_auditentry SET act = 'publication.created' WHERE sequence = %s", last.sequence)
    assert list(audit.broken_entries()) == [(last.sequence, "was changed")]
