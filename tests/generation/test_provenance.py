"""A clip says in its own bytes which model made it; whoever reads that knows whether the program said so, and learns
nothing else. All by the real library, on real files."""

import subprocess
from dataclasses import replace
from uuid import uuid4

import imageio_ffmpeg
import pytest

from generation import encoding, keys, provenance
from generation.provenance import Manifest, Origin, State

from .manifests import ORIGIN, action, assertion_in, box, builder, manifest_in, write

FFMPEG = (imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error")


def test_a_signed_clip_is_trusted_by_the_programs_anchor_and_tells_its_origin(signed_clip):
    assert provenance.read(signed_clip, keys.anchors()) == Manifest(
        State.TRUSTED,
        is_ours=True,
        signer="sorahub tests",
        model="Small model",
        revision="4f0c9be1",
        submission=ORIGIN.submission,
    )


def test_the_picture_is_the_same_before_and_after(bare_clip, signed_clip):
    assert encoding.probe(signed_clip) == replace(encoding.probe(bare_clip), size=signed_clip.stat().st_size)
    assert _decoded(signed_clip) == _decoded(bare_clip)


def test_signed_twice_only_the_manifest_differs(bare_clip, signed_clip, tmp_path):
    provenance.sign(bare_clip, tmp_path / "again.mp4", ORIGIN, keys.signing())
    one, two = signed_clip.read_bytes(), (tmp_path / "again.mp4").read_bytes()
    assert len(one) == len(two)
    assert one != two
    for kind in (b"ftyp", b"moov", b"mdat"):
        assert box(one, kind) == box(two, kind)


def test_an_unsigned_clip_says_nothing(bare_clip):
    assert provenance.read(bare_clip, keys.anchors()) is None


def test_remuxing_strips_the_origin(signed_clip, tmp_path):
    stripped = tmp_path / "stripped.mp4"
    subprocess.run([*FFMPEG, "-i", signed_clip, "-c", "copy", stripped], check=True)
    assert provenance.read(stripped, keys.anchors()) is None


# --- Whose word it is --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, place", [(b"mdat", 300), (b"mdat", -1), (b"moov", 40)])
def test_one_flipped_bit_of_the_picture_makes_it_invalid_and_it_still_says_whose_it_was(
    signed_clip, tmp_path, kind, place
):
    whole = signed_clip.read_bytes()
    changed = bytearray(box(whole, kind))
    changed[place] ^= 1
    content = whole.replace(box(whole, kind), changed)
    (tmp_path / "flipped.mp4").write_bytes(content)
    read = provenance.read(tmp_path / "flipped.mp4", keys.anchors())
    assert (read.state, read.is_ours, read.submission) == (State.INVALID, True, ORIGIN.submission)


def test_a_changed_word_of_the_manifest_makes_it_nobodys(signed_clip, tmp_path):
    other = str(uuid4()).encode()
    forged = signed_clip.read_bytes().replace(ORIGIN.submission.encode(), other)
    assert forged.count(other) == 1
    (tmp_path / "forged.mp4").write_bytes(forged)
    assert provenance.read(tmp_path / "forged.mp4", keys.anchors()) == Manifest(State.INVALID)


def test_our_manifest_on_another_clip_is_invalid(bare_clip, signed_clip, tmp_path):
    """Cut out of one file and pasted into another: the words are ours, the picture isn't."""
    content, pasted = signed_clip.read_bytes(), tmp_path / "pasted.mp4"
    start = len(box(content, b"ftyp"))
    lighter = tmp_path / "lighter.mp4"
    subprocess.run([*FFMPEG, "-i", bare_clip, "-crf", "30", "-movflags", "+faststart", lighter], check=True)
    other = lighter.read_bytes()
    pasted.write_bytes(other[:start] + box(content, b"uuid") + other[start:])
    read = provenance.read(pasted, keys.anchors())
    assert (read.state, read.is_ours) == (State.INVALID, True)


def test_what_somebody_else_signed_is_valid_and_not_ours_whatever_it_claims(bare_clip, other_keys, tmp_path):
    provenance.sign(bare_clip, tmp_path / "theirs.mp4", ORIGIN, other_keys)
    read = provenance.read(tmp_path / "theirs.mp4", keys.anchors())
    assert (read.state, read.is_ours, read.signer) == (State.VALID, False, "Another program")


def test_without_our_anchor_a_reader_trusts_nothing_of_ours(signed_clip, other_keys):
    for anchors in (other_keys.anchors, ""):
        read = provenance.read(signed_clip, anchors)
        assert (read.state, read.is_ours) == (State.VALID, False)


def test_our_manifest_inside_of_somebody_elses_is_not_ours(signed_clip, other_keys, tmp_path):
    wrapped = tmp_path / "wrapped.mp4"
    with (
        builder(action("c2pa.opened", ingredients=["was"])) as made,
        signed_clip.open("rb") as parent,
    ):
        made.add_ingredient(
            {"title": "was", "relationship": "parentOf", "label": "was"}, provenance.MP4, parent
        )
        write(made, other_keys, signed_clip, wrapped)
    assert ORIGIN.submission.encode() in wrapped.read_bytes()
    read = provenance.read(wrapped, keys.anchors())
    assert (read.state, read.is_ours, read.submission, read.model) == (State.VALID, False, "", "")


def test_what_a_stranger_writes_is_told_short_and_printable(bare_clip, other_keys, tmp_path):
    agent = {"name": "x" * 5000, "version": "a\u202e\x1b[31m\nb"}
    with builder(
        action("c2pa.created", softwareAgent=agent, digitalSourceType=provenance.GENERATED),
        {"label": provenance.SUBMISSION, "data": {"id": ["no", "text"]}},
        {"label": provenance.TRAINING, "data": {"entries": "allowed"}},
        {
            "label": "stds.schema-org.CreativeWork",
            "kind": "Json",
            "data": {"@type": "CreativeWork", "name": []},
        },
        {"label": "org.another.list", "data": [1, {"a": None}]},
        {"label": "org.another.nothing", "data": None},
    ) as made:
        write(made, other_keys, bare_clip, tmp_path / "loud.mp4")
    assert provenance.read(tmp_path / "loud.mp4", keys.anchors()) == Manifest(
        State.VALID, signer="Another program", model="x" * 200, revision="a[31mb"
    )


# --- What it tells, and what it doesn't --------------------------------------------------------------

PRIVATE = ("Mira Okonkwo", "holiday in Tromsø", "a fox asleep in the snow", "mira@example.com")


def test_a_file_tells_its_origin_and_nothing_else(bare_clip, tmp_path):
    """The files lie under names that would betray their owner, beside the upload that the clip began with."""
    source, out = (tmp_path / f"{' '.join(PRIVATE)} {n}.mp4" for n in "12")
    source.write_bytes(bare_clip.read_bytes())
    source.with_suffix(".jpg").write_bytes(b"\xff\xd8\xff\xe1" + " ".join(PRIVATE).encode() * 40)
    provenance.sign(source, out, replace(ORIGIN, has_image=True), keys.signing())
    content = out.read_bytes()
    for word in (*PRIVATE, str(tmp_path)):
        for written in {word, word.upper(), word.lower()}:
            for spelled in (written.encode(), written.encode("utf-16-le"), written.encode("utf-16-be")):
                assert spelled not in content
    for picture in (b"\xff\xd8\xff", b"\x89PNG", b"thumbnail"):
        assert picture not in box(content, b"uuid")
    manifest = manifest_in(out)
    assert {told["label"] for told in manifest["assertions"]} == {
        "c2pa.hash.bmff.v3",
        "c2pa.actions.v2",
        provenance.TRAINING,
        provenance.SUBMISSION,
    }
    assert set(manifest) == {
        "label",
        "instance_id",
        "claim_version",
        "claim_generator_info",
        "title",
        "ingredients",
        "assertions",
        "signature_info",
    }
    assert manifest["title"] == "Generated clip"
    assert set(manifest["claim_generator_info"][0]) == {"name", "org.contentauth.c2pa_rs"}
    assert assertion_in(out, provenance.SUBMISSION) == {"id": ORIGIN.submission}


def test_an_image_is_told_of_without_a_hash_by_which_it_could_be_guessed(bare_clip, tmp_path):
    provenance.sign(bare_clip, tmp_path / "a.mp4", replace(ORIGIN, has_image=True), keys.signing())
    assert manifest_in(tmp_path / "a.mp4")["ingredients"] == [
        {"title": "Image", "relationship": "inputTo", "label": "c2pa.ingredient.v3"}
    ]
    assert provenance.read(tmp_path / "a.mp4", keys.anchors()).has_image


def test_the_first_action_says_that_a_model_made_it_and_which(signed_clip):
    assert assertion_in(signed_clip, "c2pa.actions.v2")["actions"] == [
        {
            "action": "c2pa.created",
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia",
            "softwareAgent": {"name": "Small model", "version": "4f0c9be1"},
        }
    ]


@pytest.mark.parametrize("allows, word", [(False, "notAllowed"), (True, "allowed")])
def test_models_may_learn_from_it_only_if_its_artist_says_so(bare_clip, tmp_path, allows, word):
    origin = replace(ORIGIN, allows_training=allows)
    provenance.sign(bare_clip, tmp_path / "a.mp4", origin, keys.signing())
    entries = assertion_in(tmp_path / "a.mp4", provenance.TRAINING)["entries"]
    assert {name: entry["use"] for name, entry in entries.items()} == {
        "cawg.ai_training": word,
        "cawg.ai_generative_training": word,
        "cawg.ai_inference": "notAllowed",
        "cawg.data_mining": "notAllowed",
    }
    assert provenance.read(tmp_path / "a.mp4", keys.anchors()).allows_training is allows


def test_without_a_word_of_the_artist_nothing_may_learn_from_it():
    assert Origin(model="m", revision="r", submission="s").allows_training is False


def _decoded(path) -> bytes:
    return subprocess.run(
        [*FFMPEG, "-i", path, "-f", "rawvideo", "-"], check=True, capture_output=True
    ).stdout
