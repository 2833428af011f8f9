"""Where bytes lie: two stores that no web server reads, reached only through a row that was looked up.

Each is a folder or, for a program on several machines, a bucket; both keep the promises that `Store` makes. An
OSError means that the store is away; a FileNotFoundError, that it is there and the file isn't.
"""

import hashlib
import os
import shutil
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from .addresses import Bucket, Place

BLOCK = 1024 * 1024  # bytes
INCOMING = "incoming"  # where files of a store are before they are whole


class Damaged(Exception):
    """The bytes found are not the bytes promised by their sha256."""


class Store(ABC):
    """Files under names that come from rows: each whole and proven, or not there."""

    is_folder: bool  # may nginx read it?

    @abstractmethod
    def write(self, name: str, blocks: Iterable[bytes], *, sha256: str) -> None:
        """Puts a file in its place and proves on the way that it has that sha256; Damaged if not."""

    @abstractmethod
    def size(self, name: str) -> int:
        """Bytes."""

    @abstractmethod
    def blocks(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes [start, stop) of a file, some at a time."""

    @abstractmethod
    def delete(self, name: str, *, older_than: float = 0) -> bool:
        """Deletes a file, unless it was written anew within these seconds; True if it is gone."""

    @abstractmethod
    def delete_folder(self, name: str) -> None:
        """Deletes all files whose names begin with this one and a slash; none is no error."""

    @abstractmethod
    def names(self, *, older_than: float = 0) -> Iterator[str]:
        """Names of the files last changed more than `older_than` seconds ago."""

    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """Name and bytes of every file: cheaper than asking for each one."""

    @abstractmethod
    def free_bytes(self) -> int:
        """How much more fits in; asking also shows whether the store answers."""

    def holds(self, name: str, *, size: int) -> bool:
        """Is a file of this name and size (bytes) there? What it says inside was proven when it was written."""
        try:
            return self.size(name) == size
        except FileNotFoundError:
            return False

    def digest(self, name: str) -> str:
        """The sha256 of what is there now, read anew."""
        return _digest(self.blocks(name))


class FolderStore(Store):
    """A folder whose files appear whole or not at all: temporary name, fsync, rename."""

    is_folder = True

    def __init__(self, root: Path):
        self.root = Path(root)
        self.incoming = self.root / INCOMING

    def path(self, name: str) -> Path:
        """Names come from rows, never from a URL; the check is for the day when one doesn't."""
        path = (self.root / name).resolve()
        if not path.is_relative_to(self.root.resolve()):
            raise ValueError(f"{name!r} lies outside the store.")
        return path

    def write(self, name: str, blocks: Iterable[bytes], *, sha256: str) -> None:
        target = self.path(name)
        self.incoming.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=self.incoming)
        os.fchmod(handle, 0o640)  # nginx is of the group, and sends what X-Accel-Redirect names
        try:
            with open(handle, "wb") as out:
                digest = hashlib.sha256()
                for block in blocks:
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

    def size(self, name: str) -> int:
        return self.path(name).stat().st_size

    def blocks(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        return blocks_of(self.path(name), start, stop)

    def delete(self, name: str, *, older_than: float = 0) -> bool:
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

    def names(self, *, older_than: float = 0) -> Iterator[str]:
        limit = time.time() - older_than
        return (name for name, told in self._entries() if told.st_mtime <= limit)

    def sizes(self) -> dict[str, int]:
        return {name: told.st_size for name, told in self._entries()}

    def free_bytes(self) -> int:
        self.root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.root).free

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        for folder, _, files in os.walk(self.root):
            for file in files:
                path = Path(folder, file)
                try:
                    yield str(path.relative_to(self.root)), path.stat()
                except FileNotFoundError:
                    continue  # somebody else's temporary file, renamed meanwhile


def private() -> Store:
    return store_at(settings.PRIVATE_STORE)


def public() -> Store:
    return store_at(settings.PUBLIC_STORE)


@lru_cache(maxsize=16)
def store_at(place: Place) -> Store:
    """One store for each place and process: a bucket's connection is worth keeping."""
    if isinstance(place, Bucket):
        from .bucket import BucketStore  # boto3 is heavy, and most programs live in folders

        return BucketStore(place)
    return FolderStore(place)


def scratch() -> Path:
    """Where this machine's worker keeps what is in the making. Never a bucket: ffmpeg writes here."""
    if settings.SCRATCH:
        return settings.SCRATCH
    store = private()
    return store.incoming if isinstance(store, FolderStore) else settings.VAR / "scratch"


def private_name(sha256: str) -> str:
    return f"{sha256[:2]}/{sha256}"


def keep(source: Path, *, sha256: str | None = None) -> tuple[str, int]:
    """Puts a file into the private store under its sha256; returns (sha256, bytes). Twice is as good as once.

    Who knows the sha256 from before names it: Damaged, if the file has another one by now.
    """
    sha256 = sha256 or digest_of(source)
    private().write(private_name(sha256), blocks_of(source), sha256=sha256)
    return sha256, source.stat().st_size


def bring(sha256: str, out: Path) -> None:
    """Copies a file of the private store to this machine and proves it on the way; Damaged if it is another one."""
    digest = hashlib.sha256()
    with open(out, "wb") as file:
        for block in private().blocks(private_name(sha256)):
            digest.update(block)
            file.write(block)
    if digest.hexdigest() != sha256:
        out.unlink()
        raise Damaged(f"{private_name(sha256)} is not the file that was promised.")


def blocks_of(path: Path, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
    """The bytes [start, stop) of a file on this machine, a block at a time."""
    with open(path, "rb") as file:
        file.seek(start)
        left = float("inf") if stop is None else stop - start
        while left > 0 and (block := file.read(int(min(BLOCK, left)))):
            left -= len(block)
            yield block


def digest_of(path: Path) -> str:
    return _digest(blocks_of(path))


def _digest(blocks: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for block in blocks:
        digest.update(block)
    return digest.hexdigest()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
