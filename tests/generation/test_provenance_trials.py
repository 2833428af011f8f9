"""Signing that fails harms nothing, and no stranger's file brings the reader down, deceives it or makes it call out."""

import json
import socket
import struct
from dataclasses import replace

import numpy as np
import pytest

from generation import keys, provenance
from generation.provenance import ProvenanceError, State

from .manifests import ORIGIN, action, box, builder, in_a_child, write

# --- Signing that fails ------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["the same path", "a link to it"])
def test_a_file_is_never_signed_over_itself(bare_clip, tmp_path, way):
    source, before = tmp_path / "source.mp4", bare_clip.read_bytes()
    source.write_bytes(before)
    out = source if way == "the same path" else tmp_path / "link.mp4"
    if out != source:
        out.symlink_to(source)
    with pytest.raises(ProvenanceError):
        provenance.sign(source, out, ORIGIN, keys.signing())
    assert source.read_bytes() == before
    assert set(tmp_path.iterdir()) == {source, out}


@pytest.mark.parametrize("content", [b"", b"no video at all", b"\0\0\0\x18ftypisom"])
def test_what_is_no_video_is_not_signed_and_leaves_nothing(tmp_path, content):
    (tmp_path / "source.mp4").write_bytes(content)
    with pytest.raises(ProvenanceError) as refusal:
        provenance.sign(tmp_path / "source.mp4", tmp_path / "out.mp4", ORIGIN, keys.signing())
    assert str(refusal.value) == provenance.NOT_SIGNED
    assert [path.name for path in tmp_path.iterdir()] == ["source.mp4"]
    assert (tmp_path / "source.mp4").read_bytes() == content


def test_a_missing_source_or_folder_is_a_sentence_too(bare_clip, tmp_path):
    for source, out in (
        (tmp_path / "none.mp4", tmp_path / "a.mp4"),
        (bare_clip, tmp_path / "none" / "a.mp4"),
    ):
        with pytest.raises(ProvenanceError):
            provenance.sign(source, out, ORIGIN, keys.signing())
    assert list(tmp_path.iterdir()) == []


FULL_DISK = """
import json, resource, signal, sys
from pathlib import Path
from generation.provenance import Keys, Origin, ProvenanceError, sign

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
source, out, keys = map(Path, sys.argv[1:])
try:
    sign(source, out, Origin("m", "r", "s"), Keys(**json.loads(keys.read_text())))
except ProvenanceError as error:
    print(error)
"""


def test_a_disk_that_fills_up_leaves_the_source_whole_and_what_was_there_before(bare_clip, tmp_path):
    out, before = tmp_path / "out.mp4", bare_clip.read_bytes()
    out.write_bytes(b"what was there")
    (tmp_path / "keys.json").write_text(json.dumps(vars(keys.signing())))
    assert in_a_child(FULL_DISK, bare_clip, out, tmp_path / "keys.json") == [provenance.NOT_SIGNED]
    assert (bare_clip.read_bytes(), out.read_bytes()) == (before, b"what was there")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keys.json", "out.mp4"]


def test_nothing_comes_out_that_our_own_readers_would_not_trust(bare_clip, other_keys, tmp_path):
    mixed = replace(keys.signing(), anchors=other_keys.anchors)
    with pytest.raises(ProvenanceError) as refusal:
        provenance.sign(bare_clip, tmp_path / "a.mp4", ORIGIN, mixed)
    assert refusal.value.detail == "read back: valid"
    assert list(tmp_path.glob("*.mp4")) == []


# --- Files by strangers ------------------------------------------------------------------------------

READER = """
import resource, sys
from pathlib import Path
from generation.provenance import read

resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
anchors = Path(sys.argv[1]).read_text()
for path in map(Path, sys.argv[2:]):
    manifest = read(path, anchors)
    print(manifest.state if manifest else "none")
assert "django" not in sys.modules
"""


@pytest.fixture
def read_all(tmp_path):
    """read_all(files) gives each file's state by name, as read in a child as bounded as the one that opens uploads."""

    def _read_all(files: dict[str, bytes]) -> dict[str, str]:
        (tmp_path / "anchors.pem").write_text(keys.anchors())
        for name, content in files.items():
            (tmp_path / name).write_bytes(content)
        told = in_a_child(READER, tmp_path / "anchors.pem", *(tmp_path / name for name in files))
        return dict(zip(files, told, strict=True))

    return _read_all


def test_no_broken_file_brings_the_reader_down_or_passes_for_whole(bare_clip, signed_clip, read_all):
    whole, plain = signed_clip.read_bytes(), bare_clip.read_bytes()
    start = len(box(whole, b"ftyp"))
    nested = b"".join(struct.pack(">I4s", 8 * n, b"moov") for n in range(9999, 0, -1))
    assert read_all(
        {
            "empty": b"",
            "a playlist": b"#EXTM3U\n/etc/passwd\n",
            "a picture": b"\xff\xd8\xff\xe0" + bytes(1000),
            "an archive": b"PK\x03\x04" + bytes(1000),
            "the head alone": whole[:start],
            "cut in the manifest": whole[: start + 1500],
            "cut in the picture": whole[:-500],
            "unsigned and cut": plain[: len(plain) // 2],
            "zeros in the manifest": whole[: start + 700] + bytes(200) + whole[start + 900 :],
            "an endless box": whole[:start] + b"\xff\xff\xff\xff" + whole[start + 4 :],
            "an empty box": whole[:start] + bytes(4) + whole[start + 4 :],
            "two manifests": whole[:start] + box(whole, b"uuid") + whole[start:],
            "boxes in boxes": whole[:start] + nested,
        }
    ) == {
        "empty": "none",
        "a playlist": "none",
        "a picture": "none",
        "an archive": "none",
        "the head alone": "none",
        "cut in the manifest": "invalid",
        "cut in the picture": "invalid",
        "unsigned and cut": "none",
        "zeros in the manifest": "invalid",
        "an endless box": "invalid",
        "an empty box": "invalid",
        "two manifests": "invalid",
        "boxes in boxes": "none",
    }


def test_no_noise_in_the_manifest_passes_for_ours(signed_clip, read_all):
    """Its last part is left out: the room that a signature may need is filled up, and covered by nothing."""
    whole, random = signed_clip.read_bytes(), np.random.default_rng(7)
    start = len(box(whole, b"ftyp"))
    files = {}
    for number in range(80):
        changed = bytearray(whole)
        for place in random.integers(start, start + 1500, 4):
            changed[place] ^= int(random.integers(1, 256))
        files[f"noise {number}"] = bytes(changed)
    assert set(read_all(files).values()) <= {State.INVALID, State.VALID, "none"}


def test_a_manifest_that_lies_elsewhere_is_not_fetched(bare_clip, other_keys, tmp_path):
    created = action("c2pa.created", digitalSourceType=provenance.GENERATED)
    with socket.create_server(("127.0.0.1", 0)) as server, builder(created) as made:
        made.set_remote_url(f"http://127.0.0.1:{server.getsockname()[1]}/manifest")
        made.set_no_embed()
        write(made, other_keys, bare_clip, tmp_path / "remote.mp4")
        assert b"/manifest" in (tmp_path / "remote.mp4").read_bytes()
        read = provenance.read(tmp_path / "remote.mp4", keys.anchors())
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    assert read is None
