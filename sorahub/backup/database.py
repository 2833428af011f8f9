"""The database in one file and back: pg_dump and pg_restore for PostgreSQL, the online backup interface for SQLite."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from django.db import connection, connections, transaction
from django.db.backends.postgresql.client import DatabaseClient

from . import Refused, marker

COPY = "backup"  # the alias under which a snapshot answers queries
NAMES = {"postgresql": "database.dump", "sqlite": "database.sqlite3"}


@contextmanager
def snapshot(folder: Path) -> Iterator[Path]:
    """Writes the database into a file of `folder`; within, queries on COPY see exactly what that file holds."""
    target = folder / NAMES[connection.vendor]
    copy = connection.copy(alias=COPY)
    connections[COPY] = copy
    try:
        if connection.vendor == "sqlite":
            _copy_sqlite(target)
            copy.settings_dict |= {"NAME": str(target), "OPTIONS": {}}
            yield target
        else:
            with transaction.atomic(using=COPY):
                _run("pg_dump", *_dump_options(), f"--snapshot={_export(copy)}", f"--file={target}")
                yield target
    finally:
        copy.close()
        del connections[COPY]


def load(source: Path) -> None:
    """Fills the empty database, all or nothing; the mark of the restore stays in it."""
    if connection.vendor == "postgresql":
        name = connection.settings_dict["NAME"]
        options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
        _run("pg_restore", *options, f"--dbname={name}", str(source))
        return
    backup = marker.unfinished()
    with tempfile.TemporaryDirectory() as folder:  # the backup itself is never written to
        working = shutil.copyfile(source, Path(folder, NAMES["sqlite"]))
        with closing(sqlite3.connect(working)) as marked:
            marked.execute(f"CREATE TABLE {marker.TABLE} (backup varchar(80) NOT NULL)")
            marked.execute(f"INSERT INTO {marker.TABLE} VALUES (?)", [backup])
            marked.commit()
            connection.ensure_connection()
            marked.backup(connection.connection)
    connection.close()


def tables() -> list[str]:
    with connection.cursor() as cursor:
        found = connection.introspection.table_names(cursor)
    return sorted(name for name in found if name != marker.TABLE)


def bytes_used() -> int:
    if connection.vendor == "sqlite":
        return os.path.getsize(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return cursor.fetchone()[0]


def others_connected() -> int:
    """Sessions of other processes; SQLite doesn't tell, and doesn't need to: it is filled in one transaction."""
    if connection.vendor == "sqlite":
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND COALESCE(backend_type, 'client backend') = 'client backend'"
        )
        return cursor.fetchone()[0]


def _copy_sqlite(target: Path) -> None:
    connection.ensure_connection()
    with closing(sqlite3.connect(target)) as copy:
        connection.connection.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, with no log beside it
        if (told := copy.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
            raise Refused(f"The database is damaged, so no backup was made: {told}.")


def _export(copy) -> str:
    with copy.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        return cursor.fetchone()[0]


def _dump_options() -> tuple[str, ...]:
    name = connection.settings_dict["NAME"]
    return ("--format=custom", "--no-owner", "--no-privileges", f"--dbname={name}")


def _run(program: str, *arguments: str) -> None:
    """Runs a client of PostgreSQL with host, user and password as Django has them; a password is never an argument."""
    if shutil.which(program) is None:
        raise Refused(
            f"{program} isn't installed. It comes with PostgreSQL's client programs "
            "(Debian: apt-get install postgresql-client), in the server's version or a newer one."
        )
    told, environment = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    reach = told[1:-1]  # without psql's name and the database's
    done = subprocess.run(
        [program, "--no-password", *reach, *arguments],
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise Refused(f"{program} failed: {lines[0]}")
