"""Copies of a clip look like it, other clips don't, and its fingerprint is kept for as long as its file."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from generation import encoding, fingerprints, likeness, storage
from generation.models import Fingerprint, Rendition
from tests import factories

WIDTH, HEIGHT, FRAMES = 256, 144, 36


def scene(seed: int, *, drift=2):
    """A soft landscape of chance, and a disc that moves over it."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 255, (6, 10, 3), np.uint8))
    ground = np.asarray(coarse.resize((WIDTH + FRAMES * drift, HEIGHT), Image.Resampling.BICUBIC))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for step in range(FRAMES):
        frame = ground[:, step * drift : step * drift + WIDTH].copy()
        frame[(rows - 70) ** 2 + (columns - 40 - 4 * step) ** 2 < 600] = 255 - frame[70, 40]
        yield frame


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    encoding.encode(scene(1), path, 12)
    return path


def again(clip, *options: str):
    out = clip.with_name("again.mp4")
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    subprocess.run([ffmpeg, "-y", "-loglevel", "error", "-i", clip, *options, out], check=True)
    return encoding.decode(out)


@pytest.mark.parametrize(
    "options",
    [
        ("-crf", "34"),
        ("-vf", "scale=iw/2:ih/2", "-crf", "28"),
        ("-r", "30"),
        ("-ss", "0.5"),
        ("-vf", "eq=brightness=0.08:contrast=1.1"),
    ],
    ids=["weaker", "half the size", "another rate", "trimmed", "brighter"],
)
def test_a_copy_looks_like_its_clip(clip, options):
    mine = likeness.fingerprint(encoding.decode(clip))
    assert likeness.distances(mine, [likeness.fingerprint(again(clip, *options))])[0] < likeness.ALIKE


def test_other_clips_do_not_look_like_it(clip):
    mine = likeness.fingerprint(encoding.decode(clip))
    others = [likeness.fingerprint(scene(seed)) for seed in range(2, 22)]
    assert likeness.distances(mine, others).min() > 2 * likeness.ALIKE


def test_what_shows_nothing_is_like_nothing():
    black = [np.zeros((64, 64, 3), np.uint8)] * 12
    assert likeness.fingerprint(black) == b""
    assert likeness.fingerprint([]) == b""
    assert likeness.distances(likeness.fingerprint(scene(1)), []).tolist() == []


def test_confidence_falls_from_the_same_to_any_other():
    assert [likeness.confidence(distance) for distance in (0, 0.125, 0.5, 0.6)] == [1, 0.75, 0, 0]


@pytest.mark.django_db
def test_each_stored_video_gets_its_fingerprint_once(clip):
    made = factories.clip(factories.member(), video=clip.read_bytes())
    unreadable = factories.clip(factories.member(), video=b"no video at all")
    assert fingerprints.make_missing(fingerprints.of_clips()) == 2
    kept = Fingerprint.objects.get(pk=made.rendition(Rendition.Kind.VIDEO).sha256)
    assert bytes(kept.bits) == likeness.fingerprint(encoding.decode(clip))
    assert bytes(Fingerprint.objects.get(pk=unreadable.rendition("video").sha256).bits) == b""
    assert fingerprints.make_missing(fingerprints.of_clips()) == 0


@pytest.mark.django_db
def test_a_video_that_the_store_has_not_yet_is_looked_at_later(clip):
    made = factories.clip(factories.member(), video=clip.read_bytes())
    name = storage.private_name(made.rendition("video").sha256)
    storage.private().delete(name)
    assert fingerprints.make_missing(fingerprints.of_clips()) == 0
    assert storage.keep(clip)
    assert fingerprints.make_missing(fingerprints.of_clips()) == 1
