"""Where bytes lie: two folders that no web server reads, reached only through a row that was looked up."""

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

BLOCK = 1024 * 1024  # bytes


class Damaged(Exception):
    """The bytes found are not the bytes promised by their sha256."""


class Store:
    """A folder whose files appear whole or not at all: temporary name, fsync, rename."""

    def __init__(self, root: Path):
        self.root = Path(root)
        self.incoming = self.root / "incoming"

    def path(self, name: str) -> Path:
        """Names come from rows, never from a URL; the check is for the day when one doesn't."""
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise ValueError(f"{name!r} lies outside the store.")
        return path

    def write(self, name: str, source: Path, *, sha256: str) -> None:
        """Copies `source` to `name` and proves on the way that it has that sha256; Damaged if not."""
        target = self.path(name)
        self.incoming.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.incoming)
        try:
            with open(handle, "wb") as out, open(source, "rb") as read:
                digest = hashlib.sha256()
                while block := read.read(BLOCK):
                    digest.update(block)
                    out.write(block)
                out.flush()
                os.fsync(out.fileno())
            if digest.hexdigest() != sha256:
                raise Damaged(f"{name} is not the file that was promised.")
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, target)
            _sync_folder(target.parent)
        finally:
            Path(temporary).unlink(missing_ok=True)

    def holds(self, name: str, *, size: int) -> bool:
        """Is a file of this name and size (bytes) there? What it says inside was proven when it was written."""
        try:
            return self.path(name).stat().st_size == size
        except FileNotFoundError:
            return False

    def delete(self, name: str, *, older_than: float = 0) -> bool:
        """Deletes a file, unless it was written anew within these seconds; True if it is gone."""
        path = self.path(name)
        try:
            if path.stat().st_mtime > time.time() - older_than:
                return False
            path.unlink()
            if path.parent.parent == self.incoming.resolve():
                path.parent.rmdir()  # what an attempt left behind; not empty yet: the next file's turn
        except OSError:
            return not path.exists()
        return True

    def delete_folder(self, name: str) -> None:
        try:
            shutil.rmtree(self.path(name))
        except FileNotFoundError:
            return  # nothing was there, which is what was asked for

    def names(self, *, older_than: float) -> Iterator[str]:
        """Names of the files last changed more than `older_than` seconds ago."""
        limit = time.time() - older_than
        for folder, _, files in os.walk(self.root):
            for file in files:
                path = Path(folder, file)
                try:
                    if path.stat().st_mtime <= limit:
                        yield str(path.relative_to(self.root))
                except FileNotFoundError:
                    continue  # somebody else's temporary file, renamed meanwhile

    def free_bytes(self) -> int:
        self.root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.root).free


def private() -> Store:
    return Store(settings.PRIVATE_STORE)


def public() -> Store:
    return Store(settings.PUBLIC_STORE)


def private_name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def keep(source: Path) -> tuple[str, int]:
    """Puts a file into the private store under its sha256; returns (sha256, bytes). Twice is as good as once."""
    sha256 = digest_of(source)
    private().write(private_name(sha256), source, sha256=sha256)
    return sha256, source.stat().st_size


def digest_of(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
