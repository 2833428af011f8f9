"""A mark that nobody sees says whose copy a clip is, and one that everybody sees says that it was generated."""

import subprocess
import weakref

import av
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from generation import encoding, marks
from generation.embedded import scenes

KEY, OTHER_KEY = b"the key of this installation", b"the key of another installation"
NUMBER = 141_592_653
FPS = 12.5
HALF = "scale=iw/2:ih/2"
CROP = "crop=trunc(iw*0.9/4)*4:trunc(ih*0.9/4)*4"
LARGE = (384, 256)  # width, height


def clip(seed=0):
    return scenes.render(scenes.random_scene(np.random.default_rng(seed)))


def large(seed=1):
    """A clip as large as LARGE says, with something in it that is finer than what it is made from."""
    grain = np.random.default_rng(seed).normal(0, 3, (LARGE[1], LARGE[0], 1))
    frames = [Image.fromarray(frame).resize(LARGE) for frame in clip(seed)]
    return np.stack([np.clip(np.asarray(frame) + grain, 0, 255).astype(np.uint8) for frame in frames])


def marked(frames, number=NUMBER, key=KEY):
    return np.stack(list(marks.embed(iter(frames), number, key)))


def copied(frames, folder, *options):
    """Our own file, and what somebody else's ffmpeg made of it."""
    encoding.encode(iter(frames), folder / "ours.mp4", FPS)
    # Its scaler rounds otherwise on each kind of processor, which a case at the edge of what can be read feels.
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-cpuflags", "0", "-loglevel", "error", "-y"]
    x264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p"]
    subprocess.run([*ffmpeg, "-i", folder / "ours.mp4", *options, *x264, folder / "theirs.mp4"], check=True)
    with av.open(str(folder / "theirs.mp4")) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def decibels(one, other):
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


@pytest.mark.parametrize("seed", range(4))
def test_the_number_is_read_from_a_hard_compressed_copy(seed, tmp_path):
    assert marks.read(copied(marked(clip(seed)), tmp_path, "-crf", "28"), KEY).number == NUMBER


@pytest.mark.parametrize("seed", range(3))
def test_the_tiniest_clip_is_told_apart_in_a_hard_compressed_copy_of_half_its_size(seed, tmp_path):
    tiny = copied(marked(clip(seed)), tmp_path, "-crf", "28", "-vf", HALF)
    assert tiny[0].shape == (64, 64, 3)
    assert marks.read(tiny, KEY, among=[*range(1000), NUMBER]).number == NUMBER
    assert marks.read(tiny, KEY, among=range(1000)).number is None


@pytest.mark.parametrize("filters", [HALF, CROP, f"{CROP},{HALF}", "fps=30", "hue=s=0", "scale=200:120"])
def test_the_number_of_a_larger_clip_is_read_from_any_of_these_copies(filters, tmp_path):
    worse = copied(marked(large()), tmp_path, "-crf", "28", "-vf", filters)
    assert marks.read(worse, KEY, sizes=[(128, 128), LARGE]).number == NUMBER


@pytest.mark.parametrize(
    "change",
    [
        lambda frame: frame[:, ::-1],
        lambda frame: np.clip((frame.astype(float) - 128) * 1.1 + 135, 0, 255).astype(np.uint8),
        lambda frame: (16 + frame * (219 / 255)).astype(np.uint8),
    ],
    ids=["mirrored", "brighter and harder", "taken for full range"],
)
def test_a_mirror_and_another_contrast_are_seen_through(change):
    assert marks.read([change(frame) for frame in marked(clip(2))], KEY).number == NUMBER


def test_a_second_mark_takes_the_first_ones_place():
    assert marks.read(marked(marked(large()), number=7), KEY).number == 7


def test_a_cut_copy_is_found_only_where_its_size_is_known():
    cut = marked(large())[:, 20:240, 10:370]
    assert marks.read(cut, KEY, sizes=[LARGE]).number == NUMBER
    assert marks.read(cut, KEY).number is None
    assert marks.read(cut, OTHER_KEY, sizes=[LARGE]).number is None


def test_nobody_sees_the_mark():
    for seed in range(4):
        assert decibels(marked(clip(seed)), clip(seed)) > 45


def test_another_key_reads_nothing():
    frames = marked(clip())
    assert marks.read(frames, KEY).number == NUMBER
    assert marks.read(frames, OTHER_KEY).number is None
    assert marks.read(frames, OTHER_KEY, among=[NUMBER]).number is None


def test_a_clip_without_a_mark_reads_nothing():
    for frames in (*map(clip, range(8)), np.zeros((3, 64, 64, 3), np.uint8)):
        reading = marks.read(frames, KEY)
        assert reading.number is None
        assert reading.chance > marks.FALSE_ALARM
        assert marks.read(frames, KEY, among=range(1000)).number is None


def test_the_same_clip_number_and_key_give_the_same_frames():
    frames = marked(clip())
    np.testing.assert_array_equal(frames, marked(clip()))
    assert not np.array_equal(frames, marked(clip(), number=NUMBER + 1))
    assert not np.array_equal(frames, marked(clip(), key=OTHER_KEY))


def test_frames_wait_outside_the_memory():
    alive = []

    def watched():
        for number in range(60):
            frame = np.full((64, 96, 3), number, np.uint8)
            alive.append(weakref.ref(frame))
            yield frame
            del frame
            assert sum(ref() is not None for ref in alive) <= 3

    count = 0
    for frame in marks.embed(watched(), NUMBER, KEY):
        alive.append(weakref.ref(frame))
        assert sum(ref() is not None for ref in alive) <= 3
        count += 1
    assert count == 60


@pytest.mark.parametrize("shape", [(33, 47), (480, 832), (65, 301)])
def test_any_size_and_side_carries_a_mark(shape):
    column, row = np.mgrid[: shape[0], : shape[1]]
    frame = np.stack([column % 256, row % 256, (column + row) % 256], axis=-1).astype(np.uint8)
    assert marks.read(marked([frame] * 2), KEY).number == NUMBER


@pytest.mark.parametrize(
    "frames, says",
    [
        ([], "no frames"),
        ([np.zeros((31, 64, 3), np.uint8)], "64 × 31 pixels is too small"),
        ([np.zeros((64, 64, 3), np.float32)], "this one is float32"),
        ([np.zeros((64, 64), np.uint8)], "of shape (64, 64)"),
        ([np.zeros((64, 64, 3), np.uint8), np.zeros((64, 66, 3), np.uint8)], "must be alike"),
    ],
)
def test_what_can_carry_no_mark_is_refused_with_a_sentence(frames, says):
    for act in (lambda: marks.read(frames, KEY), lambda: marked(frames)):
        with pytest.raises(marks.MarkError) as caught:
            act()
        assert says in str(caught.value)


@pytest.mark.parametrize("number", [-1, marks.NUMBERS])
def test_a_number_that_does_not_fit_is_refused(number):
    with pytest.raises(ValueError, match="lies between"):
        marked(clip(), number=number)
    with pytest.raises(ValueError, match="lies between"):
        marks.read(clip(), KEY, among=[number])


def test_a_key_that_could_be_guessed_is_refused():
    with pytest.raises(ValueError, match="at least 16 bytes"):
        marked(clip(), key=b"short")


def test_nobody_is_found_among_no_numbers():
    assert marks.read(marked(clip()), KEY, among=[]).number is None


@pytest.mark.parametrize("light", [0, 128, 255])
@pytest.mark.parametrize("shape", [(64, 64), (128, 128), (480, 832), (720, 1280)])
def test_the_visible_mark_stands_out_in_its_corner_alone(shape, light):
    plain = np.full((*shape, 3), light, np.uint8)
    (seen,) = marks.visible([plain])
    rows, columns = np.nonzero((seen != plain).any(axis=-1))
    assert rows.min() > shape[0] * 0.65
    assert columns.min() > shape[1] * 0.4
    assert (plain == light).all()
    corner = seen[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].astype(int)
    assert corner.max() - corner.min() > 120


def test_the_visible_mark_is_the_same_in_every_frame_and_is_no_hindrance():
    frames = clip()
    shown = np.stack(list(marks.visible(iter(frames))))
    assert np.ptp(np.nonzero((shown != frames).any(axis=(0, 3)))[0]) < 30
    assert marks.read(marked(shown), KEY).number == NUMBER
