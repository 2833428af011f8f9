"""Weights as files: pinned once by an operator, verified before each use; loading them is loading.py's.

Pinning writes a manifest beside them: the sha256 of every file, and the commit they came from. Whatever is in the
folder must then be named there, and the bytes be those bytes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from hashlib import file_digest, sha256
from pathlib import Path

from . import EngineError

INDEX = "model_index.json"  # says which parts a diffusers pipeline has
MANIFEST = "sorahub-manifest.json"
PREVIEW = "preview.npz"  # how latents look while a clip forms; decides no pixel of it
READERS = 4  # threads; hashing lets them run side by side
LICENSE_NAMES = ("license", "license.txt", "license.md")

# What loading such a file would run: pickles and programs. Everything that sorahub loads is numbers or text.
UNSAFE = frozenset(".bin .ckpt .pt .pth .pkl .pickle .py .so .dll .sh".split())
LIBRARIES = ("diffusers", "transformers", None)


class WeightsWrong(EngineError):
    """The files are not what they must be; `detail` says which, for the operator."""


@dataclass(frozen=True)
class Hub:
    """Where an operator gets the weights. Nothing in sorahub fetches them.

    `hashes` are the sha256 of files at that commit, by path, as far as they are known; the manifest that pinning
    writes beside the weights has them all.
    """

    repo: str
    commit: str = ""
    hashes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What was pinned: sha256 and bytes of each file, by its path in the folder."""

    repo: str
    commit: str  # "" where nobody said
    files: Mapping[str, tuple[str, int]]

    @property
    def revision(self) -> str:
        return _name_of((path, digest) for path, (digest, _size) in self.files.items())


def pin(folder: Path, hub: Hub, *, commit: str = "") -> Manifest:
    """Write the manifest of the weights as they are now, and return it.

    `commit` is the operator's word; without it, what the downloader noted counts. Raises ValueError with a sentence
    for the operator: files are missing or unsafe, a file isn't what the hub or the downloader's notes say, or the
    notes name another commit than the one told, or the catalog's.
    """
    noted = _notes_of_download(folder)
    found = sorted({commit for commit, _etag in noted.values()})
    wanted = commit or hub.commit
    if wanted and (others := [each for each in found if each != wanted]):
        raise ValueError(
            f"These files are of commit {others[0]}, and {wanted} is asked for. Fetch that one, "
            f"or pin this one knowingly with --commit."
        )
    check_safe(folder)
    _check_whole(folder)
    paths = list(_paths(folder))
    digests = dict(zip(paths, _digests(folder, paths), strict=True))
    for path, digest in digests.items():
        etag = noted.get(path, ("", ""))[1]
        if digest != hub.hashes.get(path, digest) or (re.fullmatch("[0-9a-f]{64}", etag) and digest != etag):
            raise ValueError(f"{path} is not the file that was published: fetch it again.")
    files = {path: (digest, (folder / path).stat().st_size) for path, digest in digests.items()}
    manifest = Manifest(repo=hub.repo, commit=commit or (found[0] if found else ""), files=files)
    _write(folder / MANIFEST, manifest)
    return manifest


def verify(folder: Path, name: str) -> Manifest:
    """Read every byte anew and compare it with the manifest; WeightsWrong if anything differs."""
    sentence = f"The model “{name}” can't be used: its files are not those that were pinned."
    try:
        manifest = read_manifest(folder)
        check_safe(folder)
        paths = sorted(_paths(folder))
        if missing := sorted(set(manifest.files) - set(paths)):
            raise ValueError(f"{missing[0]} is missing.")
        if extra := sorted(set(paths) - set(manifest.files)):
            raise ValueError(f"{extra[0]} was not there when it was pinned.")
        for path in paths:  # cheap, and what an unfinished copy fails at
            if (folder / path).stat().st_size != manifest.files[path][1]:
                raise ValueError(f"{path} has another size than it had.")
        for path, digest in zip(paths, _digests(folder, paths), strict=True):
            if digest != manifest.files[path][0]:
                raise ValueError(f"{path} has another content than it had.")
    except (OSError, ValueError) as error:
        raise WeightsWrong(sentence, detail=f"{folder}: {error}") from error
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """OSError if there is none, ValueError if it isn't one."""
    try:
        told = json.loads((folder / MANIFEST).read_text())
        files = {path: (entry["sha256"], entry["bytes"]) for path, entry in told["files"].items()}
        return Manifest(repo=told["repo"], commit=told["commit"], files=files)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{MANIFEST} is no manifest ({error!r}).") from error


def check_safe(folder: Path) -> None:
    """Raise ValueError if a file could run code when it is loaded, or a part is no stock class of its library."""
    for path in _paths(folder):
        if Path(path).suffix.lower() in UNSAFE:
            raise ValueError(
                f"{path} could run code when it is loaded. Only safetensors are used: delete it."
            )
        if not (folder / path).resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{path} leads out of the folder.")
    for part, kind in _parts(folder).items():
        if kind[0] not in LIBRARIES:
            raise ValueError(f"Its part {part} needs code of its own ({kind[0]}), which is never run.")


def license_text(folder: Path | None) -> str:
    """The license that lies beside the weights, as text; "" if there is none."""
    if folder and folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.name.lower() in LICENSE_NAMES or path.name.lower().endswith(".license.txt"):
                return path.read_text(errors="replace")
    return ""


@cache
def revision_of(folder: Path) -> str:
    """One sha256 over the names and bytes of all files below the folder that decide a clip's pixels."""
    paths = list(_paths(folder))
    return _name_of(zip(paths, _digests(folder, paths), strict=True))


def _name_of(digests) -> str:
    return sha256("".join(f"{path} {digest}\n" for path, digest in sorted(digests)).encode()).hexdigest()


def _paths(folder: Path) -> Iterator[str]:
    """All files that count, by their path in the folder; not what downloaders and this file leave there."""
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.is_file() and not hidden and inside.as_posix() not in (MANIFEST, PREVIEW):
            yield inside.as_posix()


def _digests(folder: Path, paths: list[str]) -> Iterator[str]:
    with ThreadPoolExecutor(READERS) as readers:
        yield from readers.map(lambda path: _digest(folder / path), paths)


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _parts(folder: Path) -> dict[str, list]:
    index = json.loads((folder / INDEX).read_text())
    return {part: kind for part, kind in index.items() if isinstance(kind, list) and len(kind) == 2}


def _check_whole(folder: Path) -> None:
    """Raise ValueError if a part that the pipeline has is not there, or a shard of one."""
    for part, (library, _class) in _parts(folder).items():
        if library and not (folder / part).is_dir():
            raise ValueError(f"The folder {part} is missing: fetch the rest.")
    for index in folder.rglob("*.safetensors.index.json"):
        for shard in set(json.loads(index.read_text())["weight_map"].values()):
            if not (index.parent / shard).is_file():
                raise ValueError(f"{index.parent.name}/{shard} is missing: fetch the rest.")


def _notes_of_download(folder: Path) -> dict[str, tuple[str, str]]:
    """What the hub's own downloader noted of each file: its commit, and an etag that is the sha256 of large ones."""
    notes = folder / ".cache" / "huggingface" / "download"
    found = {}
    for note in notes.rglob("*.metadata") if notes.is_dir() else ():
        commit, etag, *_when = [*note.read_text().split("\n"), "", ""]
        found[note.relative_to(notes).as_posix().removesuffix(".metadata")] = (commit.strip(), etag.strip())
    return {path: told for path, told in found.items() if (folder / path).is_file()}


def _write(path: Path, manifest: Manifest) -> None:
    files = {
        name: {"sha256": digest, "bytes": size} for name, (digest, size) in sorted(manifest.files.items())
    }
    told = {"repo": manifest.repo, "commit": manifest.commit, "files": files}
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(told, indent=1) + "\n")
    os.replace(part, path)
