"""Where stores may lie, as operators write it: file:///folder or s3://bucket/prefix. Settings read it: no Django."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")  # S3's rule for names
_OPTIONS = {"endpoint", "region"}


@dataclass(frozen=True)
class Bucket:
    """A bucket of a service that speaks S3; what opens it (the keys) comes from the environment, never from here."""

    name: str
    prefix: str = ""  # without slashes at its ends
    endpoint: str = ""  # empty: Amazon's own
    region: str = ""

    def __str__(self):
        return f"s3://{self.name}/{self.prefix}"


Place = Path | Bucket


def place(url: str) -> Place:
    """Reads an address; ValueError with the end of a sentence that begins with the setting's name."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("is not an address.") from None
    if parts.scheme == "file":
        return _folder(parts)
    if parts.scheme == "s3":
        return _bucket(parts)
    raise ValueError(
        "must be a folder, like file:///srv/sorahub/private, or a bucket, like s3://name/prefix."
    )


def overlap(one: Place, other: Place) -> bool:
    """Would a file of one place lie in the other? Each store's sweep would then delete the other's files."""
    if isinstance(one, Path) and isinstance(other, Path):
        return one.is_relative_to(other) or other.is_relative_to(one)
    if isinstance(one, Bucket) and isinstance(other, Bucket):
        first, second = (f"{place.prefix}/".lstrip("/") for place in (one, other))
        same = (one.name, one.endpoint) == (other.name, other.endpoint)
        return same and (first.startswith(second) or second.startswith(first))
    return False


def _folder(parts) -> Path:
    if parts.netloc or not parts.path.startswith("/"):
        raise ValueError("must be a folder of this machine, like file:///srv/sorahub/private.")
    return Path(parts.path)


def _bucket(parts) -> Bucket:
    if "@" in parts.netloc:
        raise ValueError("must hold no keys: they belong in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    prefix = parts.path.strip("/")
    if not _BUCKET.match(parts.netloc) or ".." in parts.netloc:
        raise ValueError("needs the name of a bucket, like s3://name/prefix.")
    if any(part in ("", ".", "..") for part in prefix.split("/")) and prefix:
        raise ValueError("has a prefix with an empty or dotted part.")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := sorted(set(options) - _OPTIONS):
        raise ValueError(f"knows endpoint and region only, and not {', '.join(unknown)}.")
    endpoint = options.get("endpoint", "")
    if "endpoint" in options and (
        urlsplit(endpoint).scheme not in ("http", "https") or not urlsplit(endpoint).hostname
    ):
        raise ValueError("needs an endpoint like https://s3.example.org.")
    return Bucket(parts.netloc, prefix, endpoint.rstrip("/"), options.get("region", ""))
