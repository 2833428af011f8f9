"""Restores a backup onto an empty database. Nothing is served before all is checked and the journal replayed."""

import time
from collections.abc import Callable
from pathlib import Path

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from accounts.models import AuditHead, audit
from generation import storage
from review import gate, journal, replay, sweep, triggers

from . import Refused, database, manifest, marker


def restore(
    source: Path, *, digest: str | None, force: bool, without_journal: bool, say: Callable[[str], None]
) -> None:
    """Can be run again after a failure, with the same backup: it goes on with what is left to do."""
    folder = manifest.find(source)
    told = manifest.read(folder, digest=digest)
    _check(folder, told, force=force, without_journal=without_journal)
    say(f"Backup {told.name} is whole: {len(told.private)} files.")
    if marker.unfinished() is None:
        marker.set_mark(told.name)
        time.sleep(marker.LOOK_EVERY + 1)  # until then, every web process has seen the mark
    if not database.tables():
        database.load(folder / told.database["file"])
    _migrate()
    _check_gate_and_chain()
    say("The database is back, its gate is up, and its audit chain is whole.")
    _put_files(folder, told)
    for sentence in [] if without_journal else _replay():
        say(sentence)
    mended = sweep.mend(reread=True)
    say(f"The files are back; {mended.count(True)} publications got theirs from the approved ones.")
    if mended.count(False):
        raise Refused(f"{mended.count(False)} publications could not get their files; the log says why.")
    _close_doors(told.name)
    marker.clear_mark()


def _check(folder: Path, told: manifest.Manifest, *, force: bool, without_journal: bool) -> None:
    """Everything that can be known beforehand, before anything is changed."""
    if told.vendor != connection.vendor:
        raise Refused(f"{told.name} was made of {told.vendor}, and DATABASE_URL names {connection.vendor}.")
    begun = marker.unfinished()
    if begun and begun != told.name:
        raise Refused(f"The restore of {begun} was begun here. Finish that one, or empty the database.")
    if not begun and (tables := database.tables()):
        raise Refused(
            f"The database isn't empty: it has {len(tables)} tables. A restore overwrites nothing; "
            "create an empty database and name it in DATABASE_URL."
        )
    if others := database.others_connected():
        raise Refused(
            f"{others} other sessions are connected to the database. Stop web, workers and beat first."
        )
    known = set(MigrationLoader(connection).disk_migrations)
    if unknown := {tuple(key) for key in told.migrations if _is_ours(key)} - known:
        raise Refused(
            f"{told.name} was made by a newer sorahub ({len(unknown)} migrations more). Restore it with that one."
        )
    if not without_journal:
        _check_journal(told)
    if strangers := [] if force else list(_strangers(told)):
        raise Refused(
            f"The stores hold {len(strangers)} files that this backup doesn't know, such as {strangers[0]}. They may "
            "be newer. Move them away, or pass --force: then the sweep deletes them once the site runs."
        )
    if found := list(manifest.problems(folder, told)):
        raise Refused(f"{told.name} is not whole, and nothing was restored: {' '.join(found[:5])}")


def _check_journal(told: manifest.Manifest) -> None:
    try:
        known = journal.knows_backup(told.name)
    except OSError as error:
        raise Refused(f"The journal doesn't answer: {error}") from None
    if not known:
        raise Refused(
            "SORAHUB_JOURNAL_URL names a journal that doesn't know this backup, so clips that were taken down since "
            "would be public again. Name the right one, or pass --without-journal to accept that."
        )


def _strangers(told: manifest.Manifest):
    private = {storage.private_name(sha256) for sha256 in told.private}
    for store, known in ((storage.private(), private), (storage.public(), set(told.public))):
        for name in store.names():
            if name not in known and not name.startswith(f"{storage.INCOMING}/"):
                yield name


def _is_ours(key: list) -> bool:
    return key[0] in ("accounts", "generation", "review", "sorahub")


def _migrate() -> None:
    """A backup of an older sorahub is brought up to this one, as an upgrade would."""
    loader = MigrationLoader(connection)
    if set(loader.disk_migrations) - set(loader.applied_migrations):
        call_command("migrate", interactive=False, verbosity=0)


def _check_gate_and_chain() -> None:
    if triggers.missing_triggers():
        triggers.raise_gate()
    if missing := triggers.missing_triggers():
        raise Refused(f"The gate could not be raised: {', '.join(missing[:3])}.")
    for sequence, what in audit.broken_entries():
        raise Refused(
            f"Audit entry {sequence} {what}: this backup was made of a house that was tampered with."
        )


def _put_files(folder: Path, told: manifest.Manifest) -> None:
    """The private ones. Public files are put in place by the gate alone, and only after the journal was replayed."""
    private, objects = storage.private(), manifest.objects(folder)
    there = private.sizes()
    for sha256, size in told.private.items():
        name = storage.private_name(sha256)
        if there.get(name) != size or private.digest(name) != sha256:
            private.write(name, objects.blocks(name), sha256=sha256)


def _replay() -> list[str]:
    try:
        return replay.replay()
    except gate.NotAllowed as error:
        raise Refused(str(error)) from None


@transaction.atomic
def _close_doors(backup: str) -> None:
    """Sessions that were ended since the backup came back with it, so all of them end."""
    Session.objects.all().delete()
    UserSession.objects.all().delete()
    audit.record("house.restored", by=None, subject=AuditHead.objects.get_or_create(pk=1)[0], words=backup)
