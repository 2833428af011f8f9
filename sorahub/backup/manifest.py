"""What a backup says it holds: one JSON file, signed with the SECRET_KEY, and the check of all that it promises."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from generation import storage

from . import Refused

NAME, SIGNATURE, OBJECTS = "manifest.json", "manifest.json.hmac", "objects"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    name: str
    made_at: str
    vendor: str  # of the database
    database: dict  # file, sha256, size
    migrations: list  # [app, name] of each that was applied
    private: dict = field(default_factory=dict)  # sha256 -> bytes
    public: dict = field(default_factory=dict)  # name -> sha256
    missing: list = field(default_factory=list)  # sha256 of files that rows named and no store had
    format: int = FORMAT

    def write(self, folder: Path) -> str:
        """Writes and signs; returns the manifest's own sha256."""
        content = json.dumps(asdict(self), sort_keys=True, indent=1).encode()
        (folder / NAME).write_bytes(content)
        (folder / SIGNATURE).write_text(_signature(content, settings.SECRET_KEY))
        return hashlib.sha256(content).hexdigest()


def read(folder: Path, *, digest: str | None = None) -> Manifest:
    """Reads a manifest that is the signed one or, where the key was lost, has this sha256."""
    try:
        content, signature = (folder / NAME).read_bytes(), (folder / SIGNATURE).read_text().strip()
    except FileNotFoundError:
        raise Refused(f"{folder} holds no backup.") from None
    if digest and hashlib.sha256(content).hexdigest() != digest:
        raise Refused(f"The manifest of {folder.name} doesn't have this sha256.")
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not digest and not any(constant_time_compare(signature, _signature(content, key)) for key in keys):
        raise Refused(
            f"The manifest of {folder.name} is not the one that this SECRET_KEY signed: it was changed, or the "
            "key is another one. If the key is lost, pass --manifest with the sha256 that the backup printed."
        )
    told = json.loads(content)
    if told.get("format") != FORMAT:
        raise Refused(f"{folder.name} was made by a newer sorahub. Restore it with that one.")
    return Manifest(**told)


def find(place: Path) -> Path:
    """A backup's folder: the one named, or the newest in a folder of backups."""
    if (place / NAME).exists():
        return place
    made = complete(place)
    if not made:
        raise Refused(f"{place} holds no backup.")
    return made[-1]


def complete(place: Path) -> list[Path]:
    """The backups in a folder, the oldest first; their names are times."""
    found = sorted(path.parent for path in place.glob(f"*/{NAME}"))
    return [path for path in found if path.name != "unfinished"]


def objects(folder: Path) -> storage.FolderStore:
    return storage.FolderStore(folder.parent / OBJECTS)


def problems(folder: Path, manifest: Manifest) -> Iterator[str]:
    """Reads everything that the manifest promises, and yields a sentence on each thing that isn't so."""
    database = folder / manifest.database["file"]
    if not database.is_file():
        yield f"{database} is missing."
    elif storage.digest_of(database) != manifest.database["sha256"]:
        yield f"{database} is damaged."
    store = objects(folder)
    for sha256 in manifest.private:
        path = store.path(storage.private_name(sha256))
        if not path.is_file():
            yield f"{path} is missing."
        elif storage.digest_of(path) != sha256:
            yield f"{path} is damaged. If the house still has it, delete it here and make a new backup."
    lacking = set(manifest.public.values()) - set(manifest.private) - set(manifest.missing)
    if lacking:
        yield f"{len(lacking)} public files are not among the backup's."


def _signature(content: bytes, key: str) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return salted_hmac("sorahub.backup", digest, secret=key, algorithm="sha256").hexdigest()
