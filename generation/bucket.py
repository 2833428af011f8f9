"""The store in a bucket, for processes on several machines. Imported only where one is configured: boto3 is heavy."""

import base64
import hashlib
import tempfile
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from .addresses import Bucket
from .storage import BLOCK, INCOMING, Damaged, Store

SPOOL = 8 * 1024 * 1024  # bytes of a file on its way that stay in memory
NO_LIMIT = 2**63  # a bucket has no end that it would tell
_GONE = {"404", "NoSuchKey", "NotFound"}
_client_lock = threading.Lock()


class BucketStore(Store):
    """A bucket whose files appear whole or not at all, and only after the bucket gave back what it was given."""

    is_folder = False

    def __init__(self, place: Bucket):
        self.place = place

    def write(self, name: str, blocks: Iterable[bytes], *, sha256: str) -> None:
        """Proves the blocks, uploads them beside the place where they belong, reads them back, and copies them there.

        A half-done upload leaves at most a file in `incoming`, which nobody serves and the sweep deletes.
        """
        key, digest = self._key(name), hashlib.sha256()
        incoming = self._key(f"{INCOMING}/{uuid.uuid4()}")
        with tempfile.SpooledTemporaryFile(SPOOL) as spool:
            for block in blocks:
                digest.update(block)
                spool.write(block)
            if digest.hexdigest() != sha256:
                raise Damaged(f"{name} is not the file that was promised.")
            spool.seek(0)
            with self._asking():
                checksum = base64.b64encode(digest.digest()).decode()
                self.client.put_object(**incoming, Body=spool, ChecksumSHA256=checksum)
        try:
            if self.digest(incoming["Key"].removeprefix(self._prefix)) != sha256:
                raise Damaged(f"{name} is not the file that was promised: the bucket gave back other bytes.")
            with self._asking():
                self.client.copy_object(**key, CopySource=incoming)
        finally:
            with suppress(OSError), self._asking():
                self.client.delete_object(**incoming)

    def size(self, name: str) -> int:
        with self._asking():
            return self.client.head_object(**self._key(name))["ContentLength"]

    def blocks(self, name: str, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Asks for one block at a time: a slow visitor holds no connection to the bucket, and little memory."""
        stop = self.size(name) if stop is None else stop
        while start < stop:
            last = min(start + BLOCK, stop) - 1
            with self._asking():
                answer = self.client.get_object(**self._key(name), Range=f"bytes={start}-{last}")
                block = answer["Body"].read()
            if not block:
                return
            yield block
            start += len(block)

    def delete(self, name: str, *, older_than: float = 0) -> bool:
        try:
            with self._asking():
                if older_than:
                    found = self.client.head_object(**self._key(name))
                    if _age(found["LastModified"], found) < older_than:
                        return False
                self.client.delete_object(**self._key(name))
        except FileNotFoundError:
            return True
        except OSError:
            return False
        return True

    def delete_folder(self, name: str) -> None:
        self._key(name)
        for entry, _age_of, _size in self._entries(f"{name}/"):
            with self._asking():
                self.client.delete_object(**self._key(entry))

    def names(self, *, older_than: float = 0) -> Iterator[str]:
        return (name for name, age, _size in self._entries() if age >= older_than)

    def sizes(self) -> dict[str, int]:
        return {name: size for name, _age_of, size in self._entries()}

    def free_bytes(self) -> int:
        with self._asking():
            self.client.head_bucket(Bucket=self.place.name)
        return NO_LIMIT

    @property
    def client(self):
        with _client_lock:
            return _client(self.place.endpoint, self.place.region)

    @property
    def _prefix(self) -> str:
        return f"{self.place.prefix}/" if self.place.prefix else ""

    def _key(self, name: str) -> dict[str, str]:
        """Names come from rows, never from a URL; the check is for the day when one doesn't."""
        if any(part in ("", ".", "..") for part in name.split("/")):
            raise ValueError(f"{name!r} lies outside the store.")
        return {"Bucket": self.place.name, "Key": self._prefix + name}

    def _entries(self, under: str = "") -> Iterator[tuple[str, float, int]]:
        """(name, age in seconds, bytes) of each file, by pages of a thousand."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.place.name, Prefix=self._prefix + under
        )
        with self._asking():
            for page in pages:
                for found in page.get("Contents", ()):
                    name = found["Key"].removeprefix(self._prefix)
                    yield name, _age(found["LastModified"], page), found["Size"]

    @contextmanager
    def _asking(self):
        """Says in Python's own words what went wrong: callers know folders, and need not know S3."""
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in _GONE:
                raise FileNotFoundError(f"It is not in {self.place}.") from None
            raise OSError(f"{self.place} answers {code}.") from error
        except BotoCoreError as error:
            raise OSError(f"{self.place} doesn't answer: {type(error).__name__}.") from error


@lru_cache(maxsize=4)
def _client(endpoint: str, region: str):
    """One for all threads and buckets, which boto3 allows for clients: each costs some MB and half a second."""
    config = Config(
        s3={"addressing_style": "path" if endpoint else "auto"},
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "max_attempts": 3},
        max_pool_connections=32,
        # Peers of Amazon's don't all know the newer checksums; ours is sent in any case.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    opened = S3Storage(endpoint_url=endpoint or None, region_name=region or None, client_config=config)
    return opened.connection.meta.client


def _age(changed: datetime, answer: dict) -> float:
    """Seconds by the bucket's own clock, which it sends with each answer: ours may go wrong."""
    told = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    now = parsedate_to_datetime(told) if told else datetime.now(UTC)
    return (now - changed).total_seconds()
