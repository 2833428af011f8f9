"""Makes a backup: the database in one moment, and then every file that its rows name, copied once and proven."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from generation import addresses, storage
from review import journal
from review.models import WITH_FILES, Publication

from . import Refused, database, manifest, marker

RESERVE = 256 * 1024 * 1024  # bytes that stay free
BATCH = 500
UNFINISHED = "unfinished"


@dataclass(frozen=True)
class Made:
    folder: Path
    digest: str  # the manifest's sha256
    files: int
    copied: int
    missing: list[str]


def make(place: Path, *, say: Callable[[str], None]) -> Made:
    """A folder appears under `place` when all is in it. What a broken run has copied, the next one needn't copy."""
    if unfinished := marker.unfinished():
        raise Refused(f"The restore of {unfinished} isn't finished. Finish it first: manage.py restore.")
    for store in (settings.PRIVATE_STORE, settings.PUBLIC_STORE, settings.JOURNAL):
        if addresses.overlap(place.resolve(), store):
            raise Refused(f"{place} lies in {store}, or around it. Put backups somewhere else.")
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _alone(place):
        work = place / UNFINISHED
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(mode=0o700)
        _check_room(place, database.bytes_used())
        with database.snapshot(work) as dump:
            private, public, migrations = _private(), _public(), _migrations()
        say(f"The database is written. {len(private)} files belong to it.")
        copied, missing = _copy(private, public, place)
        made_at = timezone.now()
        told = manifest.Manifest(
            name=f"{made_at:%Y-%m-%dT%H-%M-%S.%f}Z",
            made_at=made_at.isoformat(),
            vendor=connection.vendor,
            database={
                "file": dump.name,
                "sha256": storage.digest_of(dump),
                "size": dump.stat().st_size,
            },
            migrations=migrations,
            private={sha256: size for sha256, size in private.items() if sha256 not in missing},
            public=public,
            missing=sorted(missing),
        )
        digest = told.write(work)
        _sync(work)
        try:
            journal.note_backup(told.name)
        except OSError as error:
            raise Refused(
                f"The journal doesn't answer ({error}), so no backup was made: only one that the journal knows "
                "can be restored without bringing back what was taken down since."
            ) from None
        folder = place / told.name
        os.rename(work, folder)
        _sync(place)
    return Made(folder, digest, len(private), copied, sorted(missing))


def prune(place: Path, keep: int) -> int:
    """Deletes all but the newest backups, and the files that no other names; returns how many backups went."""
    with _alone(place):
        made = manifest.complete(place)
        kept, gone = made[-keep:], made[:-keep]
        named = {storage.private_name(sha256) for folder in kept for sha256 in manifest.read(folder).private}
        for folder in gone:
            shutil.rmtree(folder)
        objects = storage.FolderStore(place / manifest.OBJECTS)
        for name in list(objects.names()):
            if name not in named:
                objects.delete(name)
    return len(gone)


def _private() -> dict[str, int]:
    """sha256 and bytes of every file that a row of the snapshot names."""
    found = {}
    for rows in WITH_FILES:
        found |= dict(rows.objects.using(database.COPY).values_list("sha256", "size").iterator())
    return found


def _public() -> dict[str, str]:
    """Name and sha256 of every public file, as the approved texts say: what else lies there is nobody's."""
    live = Publication.objects.using(database.COPY).live().with_content()
    return {
        publication.file_name(kind): file["sha256"]
        for publication in live.iterator(chunk_size=BATCH)
        for kind, file in publication.work["files"].items()
    }


def _migrations() -> list:
    applied = MigrationRecorder.Migration.objects.using(database.COPY).values_list("app", "name")
    return sorted([app, name] for app, name in applied)


def _copy(private: dict[str, int], public: dict[str, str], place: Path) -> tuple[int, set[str]]:
    """A public copy has the bytes of a private file, so it stands in where that one was lost."""
    objects = storage.FolderStore(place / manifest.OBJECTS)
    there = objects.sizes()
    needed = {
        sha256: size for sha256, size in private.items() if there.get(storage.private_name(sha256)) != size
    }
    _check_room(place, sum(needed.values()))
    copies = {sha256: name for name, sha256 in public.items()}
    missing = set()
    for sha256 in needed:
        sources = [(storage.private(), storage.private_name(sha256))]
        sources += [(storage.public(), copies[sha256])] if sha256 in copies else []
        if not any(_copied(objects, sha256, *source) for source in sources) and _is_named(sha256):
            missing.add(sha256)
    return len(needed) - len(missing), missing


def _copied(objects: storage.Store, sha256: str, store: storage.Store, name: str) -> bool:
    try:
        objects.write(storage.private_name(sha256), store.blocks(name), sha256=sha256)
    except (FileNotFoundError, storage.Damaged):
        return False
    except OSError as error:
        raise Refused(f"A file could not be copied ({error}). Run it again: what was copied stays.") from None
    return True


def _is_named(sha256: str) -> bool:
    """Still? Its take may have been deleted since the database was written."""
    return any(model.objects.filter(sha256=sha256).exists() for model in WITH_FILES)


def _check_room(place: Path, needed: int) -> None:
    free = shutil.disk_usage(place).free
    if free < needed + RESERVE:
        raise Refused(
            f"{place} has {free // 2**20} MB free, and this backup needs {(needed + RESERVE) // 2**20} MB. "
            "Make room (backup --keep), or name another folder."
        )


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    with open(place / ".lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Refused(f"Another backup into {place} is running.") from None
        yield


def _sync(folder: Path) -> None:
    for path in (*folder.glob("*"), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
