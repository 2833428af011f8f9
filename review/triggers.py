"""What the database itself refuses, on SQLite and PostgreSQL: the last wall behind review.gate, and the only one
that raw SQL, a forgotten code path or a stolen shell will meet.

A migration that remakes one of these tables must call `lower_gate` first and `raise_gate` last: SQLite drops a
remade table's triggers without a word. `missing_triggers` compares the live schema with this file; /readyz asks it.
"""

from dataclasses import dataclass

from django.db import connection as default_connection
from django.db.migrations import RunPython

from .clauses import FIRST

PREFIX = "gate_"
MOST_SAID = 2000  # characters of a question, or of a reply


@dataclass(frozen=True)
class Rule:
    """Refuses a row operation when `when` holds; `when` is SQL over OLD and NEW that both vendors read alike."""

    table: str
    name: str
    event: str  # INSERT, UPDATE or DELETE
    when: str
    sentence: str
    reads: str = ""  # a table that came later: until its migration has run, the rule waits

    @property
    def trigger(self) -> str:
        return f"{PREFIX}{self.table}_{self.name}"


# Rows that record what people did. Erasure may empty the named columns, once.
APPEND_ONLY: dict[str, tuple[str, ...]] = {
    "accounts_allowanceentry": (),
    "accounts_answer": ("text",),
    "accounts_auditentry": ("words", "salt"),
    "accounts_ending": ("reason",),
    "accounts_factorreset": ("reason",),
    "accounts_lift": ("reason",),
    "accounts_objection": ("text",),
    "accounts_pause": ("reason",),
    "accounts_resumption": (),
    "accounts_rolechange": (),
    "accounts_suspension": ("reason",),
    "generation_mark": (),
    "review_decision": ("note",),
    "review_milestone": (),
    "review_pass": ("reason",),
    "review_policyclause": (),
    "review_policyversion": (),
    "review_publicfile": (),
    "review_publication": (),
    "review_question": ("text",),
    "review_recusal": ("reason",),
    "review_remark": ("text", "drawing"),
    "review_reply": ("text",),
    "review_takedown": ("reason",),
    "review_withdrawal": (),
}
SUBMISSION = "review_submission"
SUBMISSION_ERASABLE = ("title", "statement", "content")

# What REPLACE INTO could push out: the columns that identify a row.
IDENTITY: dict[str, tuple[str, ...]] = {
    "accounts_allowanceentry": ("id", "job,kind"),
    "accounts_answer": ("id", "objection_id"),
    "accounts_auditentry": ("sequence", "entry_hash"),
    "accounts_ending": ("id", "membership_id"),
    "accounts_factorreset": ("id",),
    "accounts_lift": ("id", "suspension_id"),
    "accounts_objection": ("id", "suspension_id"),
    "accounts_pause": ("id",),
    "accounts_resumption": ("id", "pause_id"),
    "accounts_rolechange": ("id",),
    "accounts_suspension": ("id",),
    "generation_mark": ("id", "number"),
    "review_decision": ("id", "submission_id"),
    "review_milestone": ("id", "submission_id,kind"),
    "review_pass": ("id",),
    "review_policyclause": ("id", "version_id,code", "version_id,place"),
    "review_policyversion": ("number", "name"),
    "review_publicfile": ("id", "submission_id,kind"),
    "review_publication": ("id", "approval_id", "slug"),
    "review_question": ("id", "submission_id,number"),
    "review_recusal": ("id", "submission_id,by_id"),
    "review_remark": ("id", "decision_id,number"),
    "review_reply": ("id", "question_id"),
    "review_takedown": ("id", "publication_id"),
    "review_withdrawal": ("id", "submission_id"),
    SUBMISSION: ("id", "clip_id,version"),
}

# The first version of the policy has no rows: its name and its codes are written into the rules. They never change.
_CODES = (
    "SELECT c.code FROM review_policyclause c JOIN review_policyversion v ON v.number = c.version_id"
    " WHERE v.name = NEW.policy_version"
) + "".join(
    f" UNION ALL SELECT '{clause.code}' WHERE NEW.policy_version = '{FIRST.name}'" for clause in FIRST.clauses
)

FITTING = (
    Rule(
        "review_decision",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id"
        " AND s.content_hash = NEW.content_hash AND s.artist_id <> NEW.by_id)"
        " OR EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = NEW.submission_id)",
        "a decision must be on the sealed content, by someone who is not its artist, and before any withdrawal",
    ),
    Rule(
        "review_decision",
        "recused",
        "INSERT",
        "EXISTS (SELECT 1 FROM review_recusal r JOIN review_submission o ON o.id = r.submission_id"
        " JOIN review_submission s ON s.clip_id = o.clip_id"
        " WHERE s.id = NEW.submission_id AND r.by_id = NEW.by_id)",
        "who is recused from a clip never decides on it, in any version",
        reads="review_recusal",
    ),
    Rule(
        "review_remark",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_decision d JOIN review_submission s ON s.id = d.submission_id"
        " JOIN generation_clip c ON c.id = s.clip_id WHERE d.id = NEW.decision_id AND d.erased_at IS NULL"
        " AND NEW.number BETWEEN 1 AND d.remark_count AND NEW.last_frame <= c.frames)",
        "a remark is one of those that its decision was made with, and about frames that the clip has",
    ),
    Rule(
        "review_decision",
        "policy",
        "INSERT",
        "NEW.policy_version <> COALESCE((SELECT v.name FROM review_policyversion v ORDER BY v.number DESC LIMIT 1),"
        f" '{FIRST.name}')",
        "a decision is made by the version of the policy that holds",
        reads="review_policyversion",
    ),
    Rule(  # all that it cites is accounted for by codes of the version, each with the space behind it
        "review_decision",
        "cites",
        "INSERT",
        "NEW.reasons <> '' AND length(NEW.reasons) + 1 <> (SELECT COALESCE(SUM(length(k.code) + 1), 0)"
        f" FROM ({_CODES}) k"
        " WHERE replace(' ' || NEW.reasons || ' ', ' ' || k.code || ' ', '') <> ' ' || NEW.reasons || ' ')",
        "a decision cites clauses that its version of the policy has",
        reads="review_policyclause",
    ),
    Rule(
        "review_policyversion",
        "follows",
        "INSERT",
        "NEW.number <> (SELECT COALESCE(MAX(v.number), 1) + 1 FROM review_policyversion v)"
        f" OR NEW.name = '{FIRST.name}' OR trim(NEW.name) = '' OR trim(NEW.summary) = ''"
        " OR NOT EXISTS (SELECT 1 FROM review_policyclause c WHERE c.version_id = NEW.number)",
        "a version of the policy follows the last one, under a name of its own, and has clauses",
        reads="review_policyclause",
    ),
    Rule(
        "review_policyclause",
        "whole",
        "INSERT",
        "EXISTS (SELECT 1 FROM review_policyversion v WHERE v.number >= NEW.version_id) OR NEW.version_id < 2"
        " OR NEW.code = '' OR NEW.code LIKE '% %' OR trim(NEW.title) = '' OR trim(NEW.text) = ''",
        "a version of the policy is whole before it holds, and each clause has a code, a title and a text",
        reads="review_policyversion",
    ),
    Rule(
        "review_publication",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_decision d JOIN review_submission s ON s.id = d.submission_id"
        " WHERE d.id = NEW.approval_id AND d.outcome = 'approve' AND d.content_hash = NEW.content_hash"
        " AND s.content_hash = NEW.content_hash AND s.artist_id <> d.by_id"
        " AND NOT EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = s.id))",
        "a publication needs an approval of exactly this content, by someone who is not its artist",
    ),
    Rule(
        "review_withdrawal",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id AND s.artist_id = NEW.by_id)"
        " OR EXISTS (SELECT 1 FROM review_decision d WHERE d.submission_id = NEW.submission_id)",
        "only the artist withdraws a submission, and only before its decision",
    ),
    Rule(
        "review_question",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id"
        " AND s.content_hash IS NOT NULL AND s.artist_id <> NEW.by_id)"
        " OR EXISTS (SELECT 1 FROM review_decision d WHERE d.submission_id = NEW.submission_id)"
        " OR EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = NEW.submission_id)"
        " OR EXISTS (SELECT 1 FROM review_recusal r JOIN review_submission o ON o.id = r.submission_id"
        " JOIN review_submission s ON s.clip_id = o.clip_id"
        " WHERE s.id = NEW.submission_id AND r.by_id = NEW.by_id)",
        "a question is about what waits for a decision, and by somebody who may decide",
        reads="review_reply",
    ),
    Rule(
        "review_question",
        "in_turn",
        "INSERT",
        "NEW.number <> 1 + (SELECT count(*) FROM review_question q WHERE q.submission_id = NEW.submission_id)"
        " OR EXISTS (SELECT 1 FROM review_question q LEFT JOIN review_reply r ON r.question_id = q.id"
        " WHERE q.submission_id = NEW.submission_id AND r.id IS NULL)",
        "one question is answered before the next is asked",
        reads="review_reply",
    ),
    Rule(
        "review_question",
        "says",
        "INSERT",
        f"trim(NEW.text) = '' OR length(NEW.text) > {MOST_SAID}",
        "a question says something, and not too much",
    ),
    Rule(
        "review_reply",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_question q JOIN review_submission s ON s.id = q.submission_id"
        " WHERE q.id = NEW.question_id AND s.artist_id = NEW.by_id"
        " AND NOT EXISTS (SELECT 1 FROM review_decision d WHERE d.submission_id = s.id)"
        " AND NOT EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = s.id))",
        "only the artist replies, and only while there is something to decide",
        reads="review_question",
    ),
    Rule(
        "review_reply",
        "says",
        "INSERT",
        f"trim(NEW.text) = '' OR length(NEW.text) > {MOST_SAID}",
        "a reply says something, and not too much",
    ),
    Rule(
        "review_publicfile",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id AND s.content_hash IS NULL)",
        "a sealed submission gets no further files",
    ),
    Rule(
        SUBMISSION,
        "unsealed",
        "INSERT",
        "NEW.content_hash IS NOT NULL",
        "a submission is sealed after its files",
    ),
    Rule(
        SUBMISSION,
        "filled",
        "UPDATE",
        "OLD.content_hash IS NULL AND NEW.content_hash IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM review_publicfile f WHERE f.submission_id = OLD.id AND f.kind = 'video')",
        "a submission is sealed with its files, never without",
    ),
    Rule(
        SUBMISSION,
        "withdrawn",
        "UPDATE",
        "OLD.content_hash IS NULL AND NEW.content_hash IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = OLD.id)",
        "a withdrawn submission is never sealed",
    ),
)


# What is public is ended by a takedown before its words are erased: public pages read them.
_IS_PUBLIC = (
    "EXISTS (SELECT 1 FROM review_publication p JOIN review_decision d ON d.id = p.approval_id"
    " LEFT JOIN review_takedown t ON t.publication_id = p.id WHERE d.submission_id = OLD.id AND t.id IS NULL)"
)


def raise_gate(connection=default_connection) -> None:
    """Creates every trigger anew; running it twice changes nothing."""
    with connection.cursor() as cursor:
        lower_gate(connection)
        for statement in _statements(connection):
            cursor.execute(statement)


def lower_gate(connection=default_connection) -> None:
    """Drops every trigger of the gate. For migrations and for the tests' flush; the product never calls it."""
    with connection.cursor() as cursor:
        for trigger, table in _live_names(connection):
            if connection.vendor == "postgresql":
                cursor.execute(f'DROP TRIGGER "{trigger}" ON "{table}"')
                cursor.execute(f'DROP FUNCTION IF EXISTS "{trigger}"()')
            else:
                cursor.execute(f'DROP TRIGGER "{trigger}"')


def raised() -> RunPython:
    """The operation of a migration that raises the gate, over the tables as they are by then."""
    return RunPython(
        lambda _apps, editor: raise_gate(editor.connection),
        lambda _apps, editor: lower_gate(editor.connection),
    )


def missing_triggers(connection=default_connection) -> list[str]:
    """Names of the triggers that are not in the database exactly as this file says; [] when the gate is up."""
    live, there = _live_bodies(connection), _columns(connection)
    bare = [f"{PREFIX}{table}" for table in IDENTITY if table not in there]
    return bare + [name for name, body in _expected_bodies(connection).items() if live.get(name) != body]


# --- The rules, completed by the columns that the tables have now ---------------------------------


def rules(connection) -> list[Rule]:
    columns = _columns(connection)
    found = [rule for rule in FITTING if {rule.table, rule.reads or rule.table} <= set(columns)]
    for table in APPEND_ONLY:
        if table in columns:
            found += _append_only(connection, table, columns[table])
    if SUBMISSION in columns:
        erasure = _erasure(connection, columns[SUBMISSION], SUBMISSION_ERASABLE)
        found += [
            Rule(SUBMISSION, "delete", "DELETE", "TRUE", "a submission is never deleted"),
            Rule(
                SUBMISSION,
                "stays",
                "UPDATE",
                _moves(connection, SUBMISSION),
                "a submission stays the same version of the same clip",
            ),
            Rule(
                SUBMISSION,
                "sealed",
                "UPDATE",
                f"OLD.content_hash IS NOT NULL AND (NOT ({erasure}) OR {_IS_PUBLIC})",
                "a sealed submission never changes",
            ),
            _unerased(SUBMISSION),
            _no_replace(connection, SUBMISSION),
        ]
    return found


def _append_only(connection, table: str, columns: list[str]) -> list[Rule]:
    erasure = _erasure(connection, columns, APPEND_ONLY[table])
    kept = [
        Rule(table, "delete", "DELETE", "TRUE", "this record is never deleted"),
        Rule(table, "update", "UPDATE", f"NOT ({erasure})", "this record never changes"),
        _no_replace(connection, table),
    ]
    return [*kept, _unerased(table)] if "erased_at" in columns else kept


def _unerased(table: str) -> Rule:
    """A record born erased would be one that never said anything: a refusal without its note, say."""
    return Rule(
        table, "unerased", "INSERT", "NEW.erased_at IS NOT NULL", "only what was written can be erased"
    )


def _identity(connection, table: str) -> list[str]:
    """SQLite keeps a hidden rowid beside a primary key that isn't an integer, and REPLACE acts on that one too."""
    return [*IDENTITY[table], *(["rowid"] if connection.vendor == "sqlite" else [])]


def _moves(connection, table: str) -> str:
    """SQL for an update that changes what identifies the row: UPDATE OR REPLACE would push another row out."""
    columns = sorted({column for key in _identity(connection, table) for column in key.split(",")})
    return " OR ".join(f"NEW.{column} <> OLD.{column}" for column in columns)


def _no_replace(connection, table: str) -> Rule:
    """SQLite's REPLACE INTO deletes without firing delete triggers, so the insert must be refused beforehand."""
    keys = (
        " AND ".join(f"t.{column} = NEW.{column}" for column in key.split(","))
        for key in _identity(connection, table)
    )
    same = " OR ".join(f"({key})" for key in keys)
    return Rule(
        table,
        "replace",
        "INSERT",
        f"EXISTS (SELECT 1 FROM {table} t WHERE {same})",
        "this record exists already",
    )


def _erasure(connection, columns: list[str], erasable: tuple[str, ...]) -> str:
    """SQL that holds only for an erasure: the erasable columns emptied, `erased_at` set once, all else unchanged."""
    if "erased_at" not in columns:
        return "FALSE"
    same = "IS NOT DISTINCT FROM" if connection.vendor == "postgresql" else "IS"
    kept = [column for column in columns if column not in (*erasable, "erased_at")]
    kept += ["rowid"] if connection.vendor == "sqlite" else []
    return " AND ".join(
        ["OLD.erased_at IS NULL", "NEW.erased_at IS NOT NULL"]
        + [f"NEW.{column} = ''" for column in erasable]
        + [f"NEW.{column} {same} OLD.{column}" for column in sorted(kept)]
    )


def _columns(connection) -> dict[str, list[str]]:
    """The columns of the tables that are there, asked in one query: /readyz and /metrics ask often."""
    if connection.vendor == "postgresql":
        query = (
            "SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
            " AND c.relnamespace = current_schema()::regnamespace ORDER BY c.relname, a.attnum"
        )
    else:
        query = (
            "SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'"
        )
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(query)
        for table, column in cursor.fetchall():
            if table in IDENTITY:
                found.setdefault(table, []).append(column)
    return {table: found[table] for table in IDENTITY if table in found}


# --- In each vendor's words -----------------------------------------------------------------------


def _statements(connection) -> list[str]:
    if connection.vendor != "postgresql":
        return [_sqlite_trigger(rule) for rule in rules(connection)]
    schema, statements = _schema(connection), []
    for rule in rules(connection):
        statements += [
            _postgres_function(rule.trigger, schema, _postgres_body(rule)),
            f'CREATE TRIGGER "{rule.trigger}" BEFORE {rule.event} ON "{rule.table}"'
            f' FOR EACH ROW EXECUTE FUNCTION "{rule.trigger}"()',
            f'ALTER TABLE "{rule.table}" ENABLE ALWAYS TRIGGER "{rule.trigger}"',
        ]
    for table in _columns(connection):  # row triggers don't see TRUNCATE
        name = f"{PREFIX}{table}_truncate"
        statements += [
            _postgres_function(name, schema, _TRUNCATE_BODY),
            f'CREATE TRIGGER "{name}" BEFORE TRUNCATE ON "{table}"'
            f' FOR EACH STATEMENT EXECUTE FUNCTION "{name}"()',
            f'ALTER TABLE "{table}" ENABLE ALWAYS TRIGGER "{name}"',
        ]
    return statements


def _sqlite_trigger(rule: Rule) -> str:
    return (
        f'CREATE TRIGGER "{rule.trigger}" BEFORE {rule.event} ON "{rule.table}" FOR EACH ROW WHEN {rule.when} '
        f"BEGIN SELECT RAISE(ABORT, 'The gate refuses: {rule.sentence}.'); END"
    )


def _postgres_body(rule: Rule) -> str:
    row = "OLD" if rule.event == "DELETE" else "NEW"
    return (
        f"BEGIN IF {rule.when} THEN RAISE EXCEPTION 'The gate refuses: {rule.sentence}.' USING ERRCODE = '23000';"
        f" END IF; RETURN {row}; END"
    )


_TRUNCATE_BODY = (
    "BEGIN RAISE EXCEPTION 'The gate refuses: these records are never deleted.' USING ERRCODE = '23000'; END"
)


def _postgres_function(name: str, schema: str, body: str) -> str:
    # pg_temp is searched first unless named: a temporary table called like ours would answer in its stead.
    return (
        f'CREATE OR REPLACE FUNCTION "{name}"() RETURNS trigger LANGUAGE plpgsql'
        f' SET search_path = "{schema}", pg_temp AS $gate${body}$gate$'
    )


def _schema(connection) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return cursor.fetchone()[0]


def _expected_bodies(connection) -> dict[str, str]:
    if connection.vendor != "postgresql":
        return {rule.trigger: _sqlite_trigger(rule) for rule in rules(connection)}
    bodies = {rule.trigger: _postgres_body(rule) for rule in rules(connection)}
    return bodies | {f"{PREFIX}{table}_truncate": _TRUNCATE_BODY for table in _columns(connection)}


def _live_names(connection) -> list[tuple[str, str]]:
    """(trigger, table) of every trigger of the gate in the database."""
    if connection.vendor == "postgresql":
        query = (
            "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
        )
    else:
        query = "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [row for row in cursor.fetchall() if row[0].startswith(PREFIX)]


def _live_bodies(connection) -> dict[str, str]:
    if connection.vendor == "postgresql":  # only those that hold against session_replication_role count
        query = (
            "SELECT t.tgname, p.prosrc FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " JOIN pg_class c ON c.oid = t.tgrelid"
            " WHERE t.tgenabled = 'A' AND t.tgqual IS NULL AND c.relnamespace = current_schema()::regnamespace"
            f" AND starts_with(t.tgname, '{PREFIX}' || c.relname || '_')"  # each on its own table
        )
    else:
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return dict(cursor.fetchall())
