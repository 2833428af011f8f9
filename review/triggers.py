"""What the database itself refuses, on SQLite and PostgreSQL: the last wall behind review.gate, and the only one
that raw SQL, a forgotten code path or a stolen shell will meet. What the rules are is said in review.rules.

A migration that remakes one of these tables must call `lower_gate` first and `raise_gate` last: SQLite drops a
remade table's triggers without a word. `missing_triggers` compares the live schema with them; /readyz asks it.
"""

from django.db import connection as default_connection
from django.db.migrations import RunPython

from .rules import FITTING, IDENTITY, IS_PUBLIC, PREFIX, RECORDS, SUBMISSION, SUBMISSION_ERASABLE, Rule


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
    """Names of the triggers that are not in the database exactly as the rules say; [] when the gate is up."""
    live, there = _live_bodies(connection), _columns(connection)
    bare = [f"{PREFIX}{table}" for table in IDENTITY if table not in there]
    return bare + [name for name, body in _expected_bodies(connection).items() if live.get(name) != body]


# --- The rules, completed by the columns that the tables have now ---------------------------------


def rules(connection) -> list[Rule]:
    columns = _columns(connection)
    found = [rule for rule in FITTING if {rule.table, rule.reads or rule.table} <= set(columns)]
    for table in RECORDS:
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
                f"OLD.content_hash IS NOT NULL AND (NOT ({erasure}) OR {IS_PUBLIC})",
                "a sealed submission never changes",
            ),
            _unerased(SUBMISSION),
            _no_replace(connection, SUBMISSION),
        ]
    return found


def _append_only(connection, table: str, columns: list[str]) -> list[Rule]:
    erasure = _erasure(connection, columns, RECORDS[table].erasable)
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
        + [f"NEW.{column} = ''" for column in erasable if column in columns]  # some came later
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
