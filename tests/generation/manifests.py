"""Signed files to read and strangers' files to refuse: what the tests of provenance share."""

import json
import os
import struct
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import c2pa
import numpy as np
import pytest

from generation import encoding, keys, provenance
from generation.provenance import Origin

PROJECT = Path(__file__).resolve().parents[2]
ORIGIN = Origin(model="Small model", revision="4f0c9be1", submission=str(uuid4()))


@pytest.fixture(scope="session")
def bare_clip(tmp_path_factory):
    """Twelve frames of our own encoding, unsigned."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    blocks = np.random.default_rng(4).integers(0, 255, (12, 6, 8, 3), dtype=np.uint8)
    encoding.encode((np.kron(frame, np.ones((16, 16, 1), np.uint8)) for frame in blocks), path, 8)
    return path


@pytest.fixture(scope="session")
def signed_clip(bare_clip):
    out = bare_clip.with_name("signed.mp4")
    provenance.sign(bare_clip, out, ORIGIN, keys.signing())
    return out


@pytest.fixture
def key_place(settings, tmp_path):
    """key_place() puts the program's keys elsewhere, where none are yet."""

    def _key_place(name="keys"):
        settings.C2PA_KEY, settings.C2PA_CERTIFICATES, settings.C2PA_ANCHORS = (
            tmp_path / name / f"{kind}.pem" for kind in ("key", "certificates", "anchors")
        )
        return tmp_path / name

    return _key_place


@pytest.fixture
def other_keys(settings, key_place):
    """The keys of another program."""
    mine = settings.C2PA_KEY, settings.C2PA_CERTIFICATES, settings.C2PA_ANCHORS
    key_place("others")
    keys.make("Another program")
    made = keys.signing()
    settings.C2PA_KEY, settings.C2PA_CERTIFICATES, settings.C2PA_ANCHORS = mine
    return made


# --- The library as somebody else uses it ------------------------------------------------------------


def action(act: str, *, ingredients=(), **words) -> dict:
    words |= {"parameters": {"ingredientIds": list(ingredients)}} if ingredients else {}
    return {"label": "c2pa.actions.v2", "data": {"actions": [{"action": act, **words}]}}


@contextmanager
def builder(*assertions: dict):
    told = {"claim_version": 2, "claim_generator_info": [{"name": "another"}], "assertions": assertions}
    options = {"version": 1, "builder": {"thumbnail": {"enabled": False}}}
    with c2pa.Context.from_dict(options) as context, c2pa.Builder(json.dumps(told), context=context) as made:
        yield made


def write(made: c2pa.Builder, keys: provenance.Keys, source: Path, out: Path) -> None:
    info = c2pa.C2paSignerInfo(b"es256", keys.certificates.encode(), keys.private_key.encode(), None)
    with c2pa.Signer.from_info(info) as signer, source.open("rb") as video, out.open("w+b") as target:
        made.sign(signer, provenance.MP4, video, target)


# --- The reference reader ----------------------------------------------------------------------------


def manifest_in(path: Path) -> dict:
    """All that the reference reader tells of the one manifest in it."""
    with path.open("rb") as file, c2pa.Reader(provenance.MP4, file) as reader:
        (manifest,) = json.loads(reader.json())["manifests"].values()
    return manifest


def assertion_in(path: Path, label: str) -> dict:
    (found,) = (told["data"] for told in manifest_in(path)["assertions"] if told["label"] == label)
    return found


def box(content: bytes, kind: bytes) -> bytes:
    """The first top-level box of this kind, with its header."""
    place = 0
    while place < len(content):
        size, found = struct.unpack(">I4s", content[place : place + 8])
        if found == kind:
            return content[place : place + size]
        place += size
    raise LookupError(kind)


def in_a_child(program: str, *arguments) -> list[str]:
    """The lines that a program prints in a fresh interpreter, which knows neither Django nor the environment."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
