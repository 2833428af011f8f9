"""A clip says in its own bytes which model made it; whoever reads that knows whether the program said so, and learns
nothing else. All by the real library, on real files."""

import subprocess
from dataclasses import replace
from uuid import uuid4

import imageio_ffmpeg
import numpy as np
import pytest

from generation import encoding, keys, provenance
from generation.provenance import Manifest, Origin, State

ORIGIN = Origin(model="Small model", revision="4f0c9be1", submission=str(uuid4()))


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Twelve frames of our own encoding."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    blocks = np.random.default_rng(4).integers(0, 255, (12, 6, 8, 3), dtype=np.uint8)
    encoding.encode((np.kron(frame, np.ones((16, 16, 1), np.uint8)) for frame in blocks), path, 8)
    return path


@pytest.fixture(scope="module")
def signed(clip):
    out = clip.with_name("signed.mp4")
    provenance.sign(clip, out, ORIGIN, keys.signing())
    return out


@pytest.fixture
def others(settings, tmp_path):
    """The keys of another program."""
    mine = settings.C2PA_KEY, settings.C2PA_CERTIFICATES, settings.C2PA_ANCHORS
    settings.C2PA_KEY, settings.C2PA_CERTIFICATES, settings.C2PA_ANCHORS = (
        tmp_path / "others" / name for name in ("key.pem", "certificates.pem", "anchors.pem")
    )
    keys.make("Another program")
    made = keys.signing()
    settings.C2PA_KEY, settings.C2PA_CERTIFICATES, settings.C2PA_ANCHORS = mine
    return made


# --- What a file tells -------------------------------------------------------------------------------


def test_a_signed_clip_is_trusted_by_the_programs_anchor_and_tells_its_origin(signed):
    assert provenance.read(signed, keys.anchors()) == Manifest(
        State.TRUSTED,
        is_ours=True,
        signer="sorahub tests",
        model="Small model",
        revision="4f0c9be1",
        submission=ORIGIN.submission,
    )


def test_the_picture_is_the_same_before_and_after(clip, signed):
    assert encoding.probe(signed) == replace(encoding.probe(clip), size=signed.stat().st_size)
    frames = [_decoded(path) for path in (clip, signed)]
    assert frames[0] == frames[1]


def test_one_flipped_bit_of_the_picture_makes_it_invalid_and_it_still_says_whose_it_was(signed, tmp_path):
    content = bytearray(signed.read_bytes())
    content[-300] ^= 1
    (tmp_path / "flipped.mp4").write_bytes(content)
    read = provenance.read(tmp_path / "flipped.mp4", keys.anchors())
    assert (read.state, read.is_ours, read.submission) == (State.INVALID, True, ORIGIN.submission)


def test_a_changed_word_of_the_manifest_makes_it_nobodys(signed, tmp_path):
    other = str(uuid4()).encode()
    forged = signed.read_bytes().replace(ORIGIN.submission.encode(), other)
    assert forged.count(other) == 1
    (tmp_path / "forged.mp4").write_bytes(forged)
    assert provenance.read(tmp_path / "forged.mp4", keys.anchors()) == Manifest(State.INVALID)


def test_what_somebody_else_signed_is_valid_and_not_ours_whatever_it_claims(clip, others, tmp_path):
    provenance.sign(clip, tmp_path / "theirs.mp4", ORIGIN, others)
    read = provenance.read(tmp_path / "theirs.mp4", keys.anchors())
    assert (read.state, read.is_ours, read.signer) == (State.VALID, False, "Another program")


def test_with_no_anchor_of_ours_a_reader_trusts_nothing_of_ours(signed, others):
    read = provenance.read(signed, others.anchors)
    assert (read.state, read.is_ours) == (State.VALID, False)


def test_remuxing_strips_the_origin(signed, tmp_path):
    stripped = tmp_path / "stripped.mp4"
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", signed, "-c", "copy", stripped],
        check=True,
    )
    assert provenance.read(stripped, keys.anchors()) is None


def test_an_unsigned_clip_says_nothing(clip):
    assert provenance.read(clip, keys.anchors()) is None


def _decoded(path) -> bytes:
    return subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", path, "-f", "rawvideo", "-"],
        check=True,
        capture_output=True,
    ).stdout
