"""What the database itself refuses, tried in raw SQL: no way of writing it gets past the gate, on either database."""

import ast
import hashlib
import uuid
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings as project
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.utils import timezone

from accounts.models import AuditEntry, audit
from generation.models import Clip
from review import gate, sealing, triggers
from review.models import Decision, Publication, Submission, Takedown

from . import factories

TABLES = {  # the gate's tables, each with the column that its rows are known by
    "accounts_auditentry": "sequence",
    "review_decision": "id",
    "review_publicfile": "id",
    "review_publication": "id",
    "review_submission": "id",
    "review_takedown": "id",
    "review_withdrawal": "id",
}
REFUSED = "The gate refuses"
every_table = pytest.mark.parametrize("table", TABLES)


def sqlite_only(test):
    return pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's way of writing")(test)


def postgres_only(test):
    return pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's way of writing")(test)


@pytest.fixture(scope="module")
def made(lasting):
    """One clip for each end that a submission can come to, so that every table of the gate has rows."""
    refused = factories.decision(factories.submission(), "refuse")
    approved = factories.decision(factories.submission())
    live = factories.publication()
    ended = factories.publication()
    ended_by = factories.member("reviewer")
    gate.take_down(ended, by=ended_by, reason="A reason.")
    withdrawn = factories.submission()
    sealing.withdraw(withdrawn, by=withdrawn.artist)
    waiting = factories.submission()
    bare = factories.clip(factories.member())
    settle()
    return SimpleNamespace(
        refused=refused,
        approved=approved,
        live=live,
        ended=ended,
        withdrawn=withdrawn,
        waiting=waiting,
        bare=bare,
    )


@pytest.fixture(autouse=True)
def gate_database(request):
    """Most tests here share one world, and each change is undone; those that remake tables have a database each."""
    if "transactional_db" not in request.fixturenames:
        request.getfixturevalue("made")
        request.getfixturevalue("undone")


def settle():
    """PostgreSQL alters no table while checks of its rows are pending, as foreign keys are until the commit."""
    connection.check_constraints()


@contextmanager
def lowered():
    """For writing what the gate would never let in, to see that the next wall holds."""
    settle()
    triggers.lower_gate()
    yield
    settle()
    triggers.raise_gate()


def run(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else None


def refused(statement, *params, words=REFUSED):
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        run(statement, *params)


def key(record):
    """A primary key as raw SQL spells it."""
    return record.pk.hex if isinstance(record.pk, uuid.UUID) and connection.vendor == "sqlite" else record.pk


def fresh_id():
    return uuid.uuid4().hex if connection.vendor == "sqlite" else uuid.uuid4()


def a_row(table, where="1 = 1", *params) -> dict:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE {where} LIMIT 1", params)
        return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))


def insert(row: dict, table: str, verb="INSERT INTO", tail="") -> tuple:
    columns = ", ".join(row)
    holes = ", ".join(["%s"] * len(row))
    return (f"{verb} {table} ({columns}) VALUES ({holes}) {tail}", *row.values())


def new_decision(on: Submission, by, **changes) -> tuple:
    row = {
        "submission_id": key(on),
        "outcome": "approve",
        "content_hash": on.content_hash or "0" * 64,
        "by_id": key(by),
        "at": timezone.now(),
        "policy_version": "2026-11",
        "reasons": "rights",
        "note": "A note.",
    }
    return insert(row | changes, "review_decision")


def new_publication(decision: Decision, **changes) -> tuple:
    row = {
        "id": fresh_id(),
        "approval_id": decision.pk,
        "content_hash": decision.content_hash,
        "slug": uuid.uuid4().hex[:12],
        "by_id": key(decision.submission.artist),
        "published_at": timezone.now(),
    }
    return insert(row | changes, "review_publication")


def new_submission(clip: Clip, **changes) -> tuple:
    row = {
        "id": fresh_id(),
        "clip_id": key(clip),
        "artist_id": key(clip.owner),
        "version": 90,
        "title": "Raw",
        "statement": "",
        "discloses_recipe": False,
        "publish_on_approval": False,
        "created_at": timezone.now(),
        "content": "",
    }
    return insert(row | changes, "review_submission")


def unsealed(clip: Clip, **changes) -> Submission:
    pk = fresh_id()
    run(*new_submission(clip, id=pk, **changes))
    return Submission.objects.get(pk=pk)


# --- First of all: what is right does pass, or the rest would prove nothing -------------------------


def test_a_true_approval_and_its_publication_pass(made):
    reviewer = factories.member("reviewer")
    run(*new_decision(made.waiting, reviewer))
    decision = Decision.objects.get(submission=made.waiting)
    run(*new_publication(decision))
    assert Publication.objects.live().filter(approval=decision.pk).exists()


def test_an_unsealed_submission_can_still_be_filled_and_sealed_once(made):
    draft = unsealed(made.bare)
    run("UPDATE review_submission SET title = 'Other words' WHERE id = %s", key(draft))
    file = a_row("review_publicfile") | {"submission_id": key(draft), "kind": "video"}
    file.pop("id")
    run(*insert(file, "review_publicfile"))
    seal = "UPDATE review_submission SET content = 'x', content_hash = %s, sealed_at = %s WHERE id = %s"
    run(seal, "a" * 64, timezone.now(), key(draft))
    refused(seal, "b" * 64, timezone.now(), key(draft))


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


@sqlite_only
def test_an_unsealed_submission_is_not_moved_over_a_sealed_one(made):
    draft = unsealed(made.bare)
    for move in ("id = %s", "rowid = (SELECT rowid FROM review_submission WHERE id = %s)"):
        refused(
            f"UPDATE OR REPLACE review_submission SET {move} WHERE id = %s",
            key(made.approved.submission),
            key(draft),
        )
    victim = made.approved.submission
    move = "UPDATE OR REPLACE review_submission SET clip_id = %s, version = %s WHERE id = %s"
    refused(move, key(victim.clip), victim.version, key(draft))


def _erasable(table):
    return "content_hash IS NOT NULL" if table == "review_submission" else "1 = 1"


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


# --- A publication needs its approval --------------------------------------------------------------


def test_nothing_is_published_over_a_refusal(made):
    refused(*new_publication(made.refused))


def test_nothing_is_published_under_another_hash(made):
    refused(*new_publication(made.approved, content_hash="0" * 64))
    refused(*new_publication(made.approved, content_hash=made.waiting.content_hash))


def test_nothing_is_published_over_a_decision_that_does_not_exist(made):
    refused(*new_publication(made.approved, approval_id=10_000_000))


def test_nothing_is_published_twice_even_after_a_takedown(made):
    refused(*new_publication(made.ended.approval))
    refused(*new_publication(made.live.approval))


def test_nothing_is_published_on_its_artists_own_approval(made):
    """Such an approval can't be written, so the gate is lowered for that one row, and stands again for the rest."""
    with lowered():
        run(*new_decision(made.waiting, made.waiting.artist))
    refused(*new_publication(Decision.objects.get(submission=made.waiting)))


def test_nothing_withdrawn_is_published_however_its_approval_came_about(made):
    """Two raw sessions at once could each miss the other's row; the publication would still meet both."""
    with lowered():
        run(*new_decision(made.withdrawn, factories.member("reviewer")))
    refused(*new_publication(Decision.objects.get(submission=made.withdrawn)))


@postgres_only
def test_a_copied_in_publication_is_refused(made):
    row = "\t".join(
        [
            str(uuid.uuid4()),
            made.refused.content_hash,
            "copiedinslug",
            timezone.now().isoformat(),
            str(made.refused.pk),
            str(made.refused.submission.artist.pk),
        ]
    )
    columns = "id, content_hash, slug, published_at, approval_id, by_id"
    with pytest.raises(Exception, match=REFUSED), transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(f"COPY review_publication ({columns}) FROM STDIN") as copy:
            copy.write(row + "\n")


@postgres_only
def test_a_replica_session_can_not_publish_either(made):
    with transaction.atomic():
        run("SET LOCAL session_replication_role = replica")
        refused(*new_publication(made.refused))
        refused(*new_decision(made.waiting, made.waiting.artist))
        run("SET LOCAL session_replication_role = DEFAULT")


def test_a_temporary_table_does_not_answer_in_place_of_the_real_one(made):
    """A shadow of the decisions that says "approved" of everything convinces nobody."""
    run("CREATE TEMPORARY TABLE review_decision AS SELECT * FROM review_decision")
    run("CREATE TEMPORARY TABLE review_submission AS SELECT * FROM review_submission")
    shadow = "temp" if connection.vendor == "sqlite" else "pg_temp"
    run(f"UPDATE {shadow}.review_decision SET outcome = 'approve'")
    try:
        assert run("SELECT DISTINCT outcome FROM review_decision") == [("approve",)], (
            "the shadow isn't in front"
        )
        refused(*new_publication(made.refused))
    finally:
        run(f"DROP TABLE {shadow}.review_decision")
        run(f"DROP TABLE {shadow}.review_submission")


# --- A decision needs sealed content and another pair of eyes ---------------------------------------


def test_artists_do_not_decide_on_their_own_clips(made):
    refused(*new_decision(made.waiting, made.waiting.artist))
    refused(*new_decision(made.waiting, made.waiting.artist, outcome="refuse"))


def test_nobody_decides_on_what_is_not_sealed(made):
    draft = unsealed(made.bare)
    refused(*new_decision(draft, factories.member("reviewer")))
    refused(*new_decision(draft, factories.member("reviewer"), content_hash=None), words=None)


def test_nobody_decides_on_what_was_withdrawn(made):
    refused(*new_decision(made.withdrawn, factories.member("reviewer")))


def test_nobody_decides_on_other_content_than_was_sealed(made):
    refused(*new_decision(made.waiting, factories.member("reviewer"), content_hash="0" * 64))


@pytest.mark.parametrize("outcome", ["approve", "refuse"])
def test_there_is_one_decision_for_ever(made, outcome):
    for decided in (made.refused, made.approved):
        refused(*new_decision(decided.submission, factories.member("reviewer"), outcome=outcome))


def test_a_decision_approves_or_refuses_and_nothing_else(made):
    refused(
        *new_decision(made.waiting, factories.member("reviewer"), outcome="perhaps"), words="decision_outcome"
    )


@pytest.mark.parametrize("missing", [{"reasons": ""}, {"note": ""}])
def test_a_refusal_without_reasons_or_note_is_refused(made, missing):
    by = factories.member("reviewer")
    refused(
        *new_decision(made.waiting, by, outcome="refuse", **missing), words="refusal_gives_reasons_and_a_note"
    )


def test_no_record_is_born_erased(made):
    """Erasure excuses a refusal from its note, so a refusal must not begin with it."""
    by = factories.member("reviewer")
    refused(*new_decision(made.waiting, by, outcome="refuse", note="", erased_at=timezone.now()))
    refused(*new_submission(made.bare, erased_at=timezone.now()))
    takedown = a_row("review_takedown") | {"publication_id": key(made.live), "erased_at": timezone.now()}
    takedown.pop("id")
    refused(*insert(takedown, "review_takedown"))
    entry = a_row("accounts_auditentry") | {
        "sequence": 9999,
        "entry_hash": "f" * 64,
        "erased_at": timezone.now(),
    }
    refused(*insert(entry, "accounts_auditentry"))


# --- Sealing freezes ---------------------------------------------------------------------------------


def test_no_submission_is_born_sealed(made):
    refused(*new_submission(made.bare, content="x", content_hash="a" * 64, sealed_at=timezone.now()))


def test_a_sealed_submission_is_not_opened_again(made):
    opened = "UPDATE review_submission SET content_hash = NULL, sealed_at = NULL, content = '' WHERE id = %s"
    refused(opened, key(made.waiting))


def test_a_sealed_submission_gets_no_further_files(made):
    file = a_row("review_publicfile")
    file.pop("id")
    refused(*insert(file | {"submission_id": key(made.waiting), "kind": "sprite"}, "review_publicfile"))


def test_only_the_artist_withdraws_and_only_before_the_decision(made):
    def withdrawal(of, by):
        row = {"submission_id": key(of), "by_id": key(by), "at": timezone.now()}
        return insert(row, "review_withdrawal")

    refused(*withdrawal(made.waiting, factories.member()))
    for decided in (made.refused, made.approved, made.live.approval):
        refused(*withdrawal(decided.submission, decided.submission.artist))


# --- Erasure: once, whole, and nothing besides ---------------------------------------------------------

ERASABLE = {
    "accounts_auditentry": ("words", "salt"),
    "review_decision": ("note",),
    "review_submission": ("title", "statement", "content"),
    "review_takedown": ("reason",),
}
SPOILED = {
    "accounts_auditentry": ("act", "another.act"),
    "review_decision": ("reasons", "hate"),
    "review_submission": ("discloses_recipe", True),
    "review_takedown": ("at", timezone.now()),
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


# --- The gate notices when it is down --------------------------------------------------------------------


def test_the_gate_is_up_and_raising_it_twice_changes_nothing():
    assert triggers.missing_triggers() == []
    triggers.raise_gate()
    assert triggers.missing_triggers() == []


def test_a_dropped_trigger_is_named(client):
    assert client.get("/readyz").json()["gate"] is True
    on = "" if connection.vendor == "sqlite" else "ON review_decision"
    run(f"DROP TRIGGER gate_review_decision_fits {on}")
    assert triggers.missing_triggers() == ["gate_review_decision_fits"]
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["gate"]) == (503, False)


def test_a_weakened_trigger_is_named():
    if connection.vendor == "sqlite":
        run("DROP TRIGGER gate_review_decision_delete")
        run(
            "CREATE TRIGGER gate_review_decision_delete BEFORE DELETE ON review_decision"
            " WHEN FALSE BEGIN SELECT RAISE(ABORT, 'never'); END"
        )
    else:
        run("ALTER TABLE review_decision ENABLE REPLICA TRIGGER gate_review_decision_delete")
    assert triggers.missing_triggers() == ["gate_review_decision_delete"]


@postgres_only
def test_a_trigger_on_another_table_or_with_a_condition_does_not_count():
    run("DROP TRIGGER gate_review_decision_delete ON review_decision")
    run(
        "CREATE TRIGGER gate_review_decision_delete BEFORE DELETE ON review_claim"
        " FOR EACH ROW EXECUTE FUNCTION gate_review_decision_delete()"
    )
    run("ALTER TABLE review_claim ENABLE ALWAYS TRIGGER gate_review_decision_delete")
    run("DROP TRIGGER gate_review_takedown_delete ON review_takedown")
    run(
        "CREATE TRIGGER gate_review_takedown_delete BEFORE DELETE ON review_takedown"
        " FOR EACH ROW WHEN (FALSE) EXECUTE FUNCTION gate_review_takedown_delete()"
    )
    run("ALTER TABLE review_takedown ENABLE ALWAYS TRIGGER gate_review_takedown_delete")
    assert triggers.missing_triggers() == ["gate_review_decision_delete", "gate_review_takedown_delete"]


# --- Migrations ---------------------------------------------------------------------------------------


def add_column(model, name="remade") -> None:
    """What a migration's AddField does; on SQLite it remakes the whole table."""
    field = models.CharField(max_length=8, default="x")
    field.set_attributes_from_name(name)
    field.model = model
    with connection.schema_editor() as editor:
        editor.add_field(model, field)


def drop_column(model, name="remade") -> None:
    field = models.CharField(max_length=8, default="x")
    field.set_attributes_from_name(name)
    field.model = model
    if connection.vendor == "sqlite":
        with connection.schema_editor() as editor:
            editor._remake_table(model)
    else:
        with connection.schema_editor() as editor:
            editor.remove_field(model, field)


@pytest.mark.parametrize("model", [Decision, Publication, Submission, Takedown])
def test_a_migration_that_lowers_and_raises_the_gate_leaves_it_whole(transactional_db, model):
    published = factories.publication()
    ended = factories.publication()
    gate.take_down(ended, by=ended.submission.artist)
    try:
        triggers.lower_gate()
        add_column(model)
        triggers.raise_gate()
        assert triggers.missing_triggers() == []
        refused(f"UPDATE {model._meta.db_table} SET remade = 'y'")
        refused(f"DELETE FROM {model._meta.db_table}")
        refused(*new_publication(published.approval))
    finally:
        triggers.lower_gate()
        drop_column(model)
        triggers.raise_gate()


def test_a_migration_that_forgets_the_gate_is_noticed(transactional_db, client):
    try:
        add_column(Takedown)
        missing = triggers.missing_triggers()
        assert "gate_review_takedown_update" in missing
        assert all(name.startswith("gate_review_takedown") for name in missing)
        assert client.get("/readyz").status_code == 503
        triggers.raise_gate()
        assert triggers.missing_triggers() == []
    finally:
        triggers.lower_gate()
        drop_column(Takedown)
        triggers.raise_gate()
    assert triggers.missing_triggers() == []


def test_a_table_that_is_gone_counts_as_missing(transactional_db):
    run("ALTER TABLE review_withdrawal RENAME TO review_elsewhere")
    try:
        assert "gate_review_withdrawal" in triggers.missing_triggers()
    finally:
        run("ALTER TABLE review_elsewhere RENAME TO review_withdrawal")
        triggers.raise_gate()
    assert triggers.missing_triggers() == []


# --- One writer ---------------------------------------------------------------------------------------

WRITES = {"create", "acreate", "bulk_create", "get_or_create", "update_or_create", "save", "update", "delete"}
GUARDED = {"Publication", "Takedown"}


def writers(source: str) -> list[str]:
    """Places in Python source that make a Publication or a Takedown: by class, by manager, or in raw SQL."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            names = _dotted(node.func)
            made = names[-1:] and names[-1] in GUARDED
            written = len(names) > 1 and names[-1] in WRITES and GUARDED & set(names)
            found += [".".join(names)] if made or written else []
            if names[-1:] == ["get_model"]:
                said = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                found += (
                    [str(said)] if {str(word).rpartition(".")[2].title() for word in said} & GUARDED else []
                )
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = " ".join(node.value.upper().split())
            tables = ("REVIEW_PUBLICATION", "REVIEW_TAKEDOWN")
            if any(f"{verb} {table}" in text for verb in ("INTO", "UPDATE") for table in tables):
                found.append(node.value)
    return found


def _dotted(node) -> list[str]:
    if isinstance(node, ast.Attribute):
        return [*_dotted(node.value), node.attr]
    if isinstance(node, ast.Call):
        return _dotted(node.func)
    return [node.id] if isinstance(node, ast.Name) else []


def test_the_search_for_writers_finds_them():
    samples = [
        "Publication(slug='x').save()",
        "models.Publication.objects.create(slug='x')",
        "Takedown.objects.filter(pk=1).get_or_create()",
        "cursor.execute('insert into review_publication values (1)')",
        "apps.get_model('review', 'Publication').objects.create()",
    ]
    assert all(writers(sample) for sample in samples)
    assert writers("Publication.objects.live().filter(slug='x').first()") == []


def test_only_the_gate_creates_a_publication_or_a_takedown():
    root = Path(project.BASE_DIR)
    sources = [
        path
        for app in ("accounts", "generation", "review", "sorahub")
        for path in (root / app).rglob("*.py")
        if path.parent.name != "migrations"
    ]
    assert len(sources) > 60
    writing = {str(path.relative_to(root)) for path in sources if writers(path.read_text())}
    assert writing == {"review/gate.py"}


def test_a_content_hash_is_the_sha256_of_the_frozen_text(made):
    for submission in Submission.objects.exclude(content_hash=None):
        assert submission.content_hash == hashlib.sha256(submission.content.encode()).hexdigest()


def test_no_error_of_the_gate_is_taken_for_a_fault_of_the_database():
    """Code that catches IntegrityError must catch the gate's refusals alike, on both databases."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        run("DELETE FROM review_decision")
    assert type(caught.value) is IntegrityError
