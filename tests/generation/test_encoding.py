"""Frames become an MP4 and stills that anything shows, or a sentence says why not."""

import weakref
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from generation import encoding
from generation.engine import SPRITE_MOMENTS, Sound

WIDTH, HEIGHT = 96, 64
RED, GREEN, BLUE = (200, 20, 30), (10, 180, 60), (30, 60, 210)

needs_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full plays the full disk")


def picture(shift=0, width=WIDTH, height=HEIGHT):
    frame = np.empty((height, width, 3), np.uint8)
    third = width // 3
    frame[:, :third], frame[:, third : 2 * third], frame[:, 2 * third :] = RED, GREEN, BLUE
    return np.roll(frame, shift, axis=1)


def moving(count=25):
    return (picture(shift) for shift in range(count))


def test_a_clip_is_h264_that_starts_before_it_is_all_there(tmp_path):
    encoded = encoding.encode(moving(25), tmp_path / "clip.mp4", 12.5)
    data = (tmp_path / "clip.mp4").read_bytes()
    assert encoded == encoding.Encoded(
        width=WIDTH,
        height=HEIGHT,
        frames=25,
        fps=12.5,
        duration=2.0,
        size=len(data),
        codec="h264",
        pixel_format="yuv420p",
    )
    assert data[4:8] == b"ftyp"
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_every_frame_comes_back_in_its_colors(tmp_path):
    encoding.encode([picture()] * 5, tmp_path / "clip.mp4", 24)
    frames = list(encoding.decode(tmp_path / "clip.mp4"))
    assert [(frame.shape, frame.dtype) for frame in frames] == [((HEIGHT, WIDTH, 3), np.uint8)] * 5
    for frame in frames:
        for third, color in enumerate((RED, GREEN, BLUE)):
            np.testing.assert_allclose(frame[HEIGHT // 2, third * WIDTH // 3 + WIDTH // 6], color, atol=6)


def test_the_same_frames_give_the_same_bytes(tmp_path):
    for name in ("one", "two"):
        encoding.encode(moving(), tmp_path / f"{name}.mp4", 24)
        encoding.poster(picture(), tmp_path / f"{name}.jpg")
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
    assert (tmp_path / "one.jpg").read_bytes() == (tmp_path / "two.jpg").read_bytes()


def sines(seconds, rate=48_000, hertz=(440, 880)):
    moments = np.arange(round(seconds * rate)) / rate
    return Sound(0.5 * np.sin(2 * np.pi * moments[:, None] * hertz).astype(np.float32), rate)


def heard_in(path):
    """Samples, floats of shape (n, channels), and how many a second."""
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        samples = np.concatenate([frame.to_ndarray() for frame in container.decode(stream)], 1)
        return samples.T, stream.rate


def loudest(samples, rate):
    """The frequency of each channel's strongest tone, in hertz."""
    return np.abs(np.fft.rfft(samples, axis=0)).argmax(0) * rate / len(samples)


def test_a_sound_goes_with_the_frames_and_comes_back(tmp_path):
    encoded = encoding.encode(moving(24), tmp_path / "clip.mp4", 12, sound=sines(2.0))
    assert (encoded.sound, encoded.frames, encoded.duration) == ("aac", 24, 2.0)
    samples, rate = heard_in(tmp_path / "clip.mp4")
    assert (rate, samples.shape[1]) == (48_000, 2)
    assert abs(len(samples) / rate - 2.0) < 0.05
    np.testing.assert_allclose(loudest(samples, rate), [440, 880], atol=1)
    data = (tmp_path / "clip.mp4").read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    encoding.encode(moving(24), tmp_path / "again.mp4", 12, sound=sines(2.0))
    assert (tmp_path / "again.mp4").read_bytes() == data


def test_the_sound_of_a_file_is_taken_over_as_it_is(tmp_path):
    """What marks or signs a clip makes its frames anew, and leaves alone what is heard."""
    encoding.encode(moving(24), tmp_path / "clip.mp4", 12, sound=sines(2.0, hertz=(330,)))
    again = (255 - frame for frame in encoding.decode(tmp_path / "clip.mp4"))
    encoded = encoding.encode(again, tmp_path / "other.mp4", 12, sound=tmp_path / "clip.mp4")
    assert encoded.sound == "aac"
    (before, rate), (after, _) = heard_in(tmp_path / "clip.mp4"), heard_in(tmp_path / "other.mp4")
    assert (before == after).all()
    np.testing.assert_allclose(loudest(after, rate), [330], atol=1)


def test_a_file_without_a_sound_gives_none(tmp_path):
    encoding.encode(moving(24), tmp_path / "mute.mp4", 12)
    encoded = encoding.encode(moving(24), tmp_path / "clip.mp4", 12, sound=tmp_path / "mute.mp4")
    assert (encoded.sound, encoded.frames) == ("", 24)


@pytest.mark.parametrize("seconds", [0.5, 1.0, 1.7])
def test_a_sound_is_cut_or_followed_by_silence(seconds):
    sound = sines(1.0).lasting(seconds)
    assert (len(sound.samples), sound.rate) == (round(seconds * 48_000), 48_000)
    assert (sound.samples[:24_000] == sines(1.0).samples[:24_000]).all()
    assert not sound.samples[48_000:].any()


def test_a_clip_can_be_had_as_av1_too_and_its_h264_stays_the_same(tmp_path):
    sound = sines(2.0)
    encoding.encode(moving(24), tmp_path / "alone.mp4", 12, sound=sound)
    encoded = encoding.encode(
        moving(24), tmp_path / "clip.mp4", 12, sound=sound, av1_out=tmp_path / "clip.av1.mp4"
    )
    assert encoded.codec == "h264"
    assert (tmp_path / "clip.mp4").read_bytes() == (tmp_path / "alone.mp4").read_bytes()
    also = encoding.probe(tmp_path / "clip.av1.mp4")
    assert "av1" in also.codec
    assert (also.width, also.height, also.frames, also.fps) == (WIDTH, HEIGHT, 24, 12)
    assert (also.sound, also.pixel_format) == ("aac", "yuv420p")
    for shift, frame in enumerate(encoding.decode(tmp_path / "clip.av1.mp4")):
        assert np.abs(frame.astype(int) - picture(shift)).mean() < 8
    data = (tmp_path / "clip.av1.mp4").read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    assert {path.name for path in tmp_path.iterdir()} == {"alone.mp4", "clip.mp4", "clip.av1.mp4"}


def test_frames_are_taken_one_at_a_time_and_let_go(tmp_path):
    made = []

    def watched():
        for shift in range(200):
            frame = picture(shift)
            made.append(weakref.ref(frame))
            yield frame
            del frame
            # The first frame's caller, the writer and this line may each hold one, and no more.
            assert sum(ref() is not None for ref in made) <= 3

    assert encoding.encode(watched(), tmp_path / "clip.mp4", 24).frames == 200


@pytest.mark.parametrize(
    "frames, says",
    [
        ([], "no frames"),
        ([picture(width=95)], "even width and height; 95 × 64 was given"),
        ([picture(height=63)], "even width and height; 96 × 63 was given"),
        ([picture().astype(np.float32)], "this one is float32"),
        ([picture()[:, :, 0]], "of shape (64, 96)"),
        ([picture(), picture(width=98)], "number 2 is uint8 of shape (64, 98, 3)"),
        ([picture(), picture().astype(np.int16)], "number 2 is int16"),
    ],
)
def test_frames_that_make_no_video_are_refused_with_a_sentence(tmp_path, frames, says):
    with pytest.raises(encoding.EncodingError) as caught:
        encoding.encode(frames, tmp_path / "clip.mp4", 24)
    assert says in caught.value.sentence
    assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_in_the_engine_passes_through_and_leaves_the_old_file(tmp_path):
    (tmp_path / "clip.mp4").write_bytes(b"as it was")

    def broken():
        yield picture()
        yield picture()
        raise OSError("the engine's own trouble")

    with pytest.raises(OSError, match="the engine's own trouble"):
        encoding.encode(broken(), tmp_path / "clip.mp4", 24)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"as it was"]


@needs_full_disk
def test_a_full_disk_is_named_and_may_be_tried_again(tmp_path):
    (tmp_path / ".clip.mp4.part").symlink_to("/dev/full")
    (tmp_path / ".clip.jpg.part").symlink_to("/dev/full")
    with pytest.raises(encoding.EncodingError) as video:
        encoding.encode(moving(500), tmp_path / "clip.mp4", 24)
    with pytest.raises(encoding.EncodingError) as poster:
        encoding.poster(picture(), tmp_path / "clip.jpg")
    for caught in (video, poster):
        assert caught.value.sentence == encoding.DISK_FULL
        assert caught.value.retry
        assert "No space left on device" in caught.value.detail
    assert list(tmp_path.iterdir()) == []


def test_the_encoders_own_words_are_kept_for_the_operator(tmp_path):
    with pytest.raises(encoding.EncodingError) as caught:
        encoding.encode(moving(500), tmp_path / "clip.mp4", 0)
    assert caught.value.sentence == encoding.NOT_ENCODED
    assert "framerate" in caught.value.detail


def test_a_folder_that_takes_no_files_is_named(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(encoding.EncodingError) as early:
        encoding.check_writable(tmp_path / "file" / "below")
    with pytest.raises(encoding.EncodingError) as video:
        encoding.encode(moving(), tmp_path / "nowhere" / "clip.mp4", 24)
    with pytest.raises(encoding.EncodingError) as poster:
        encoding.poster(picture(), tmp_path / "nowhere" / "clip.jpg")
    for caught in (early, video, poster):
        assert (caught.value.sentence, caught.value.retry) == (encoding.NOT_WRITABLE, False)


def test_a_poster_is_a_plain_jpeg(tmp_path):
    encoding.poster(picture(), tmp_path / "poster.jpg")
    with Image.open(tmp_path / "poster.jpg") as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (WIDTH, HEIGHT), "RGB")
        assert dict(image.getexif()) == {}
        np.testing.assert_allclose(image.getpixel((WIDTH // 6, HEIGHT // 2)), RED, atol=6)


@pytest.mark.parametrize("count", [1, 2, 12, 25, 81])
def test_a_sprite_shows_the_clip_from_its_first_frame_to_its_last(tmp_path, count):
    shades = [np.full((HEIGHT, WIDTH, 3), 2 * number, np.uint8) for number in range(count)]
    stills = {"poster_out": tmp_path / "poster.jpg", "sprite_out": tmp_path / "sprite.jpg"}
    passed_on = list(encoding.with_stills(shades, count, **stills))
    assert [id(frame) for frame in passed_on] == [id(frame) for frame in shades]
    with Image.open(stills["poster_out"]) as image:
        assert abs(image.convert("L").getpixel((5, 5)) - 2 * (count // 2)) <= 2
    with Image.open(stills["sprite_out"]) as image:
        assert (image.format, image.size) == ("JPEG", (WIDTH * SPRITE_MOMENTS, HEIGHT))
        assert dict(image.getexif()) == {}
        seen = [image.convert("L").getpixel((WIDTH * n + WIDTH // 2, 9)) for n in range(SPRITE_MOMENTS)]
    wanted = np.linspace(0, count - 1, SPRITE_MOMENTS).round() * 2
    np.testing.assert_allclose(seen, wanted, atol=2)


def test_the_pictures_of_a_large_clip_s_sprite_are_small_and_keep_its_shape(tmp_path):
    encoding.sprite([picture(width=832, height=480)] * SPRITE_MOMENTS, tmp_path / "sprite.jpg")
    with Image.open(tmp_path / "sprite.jpg") as image:
        assert image.size == (256 * SPRITE_MOMENTS, 148)


def test_a_clip_that_broke_off_has_no_sprite(tmp_path):
    stills = {"poster_out": tmp_path / "poster.jpg", "sprite_out": tmp_path / "sprite.jpg"}
    assert len(list(encoding.with_stills(moving(20), 25, **stills))) == 20
    assert not stills["sprite_out"].exists()


def test_what_is_no_video_is_not_read_as_one(tmp_path):
    (tmp_path / "clip.mp4").write_text("only words")
    for path in (tmp_path / "clip.mp4", tmp_path / "missing.mp4"):
        for read in (encoding.probe, lambda path: list(encoding.decode(path))):
            with pytest.raises(encoding.EncodingError) as caught:
                read(path)
            assert caught.value.sentence == encoding.UNREADABLE


def test_a_file_that_ends_too_early_is_no_shorter_video(tmp_path):
    encoding.encode(moving(25), tmp_path / "clip.mp4", 24)
    whole = (tmp_path / "clip.mp4").read_bytes()
    (tmp_path / "clip.mp4").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(encoding.EncodingError, match="not a video"):
        list(encoding.decode(tmp_path / "clip.mp4"))


def test_frames_come_back_in_order_and_one_at_a_time(tmp_path):
    encoding.encode(moving(200), tmp_path / "clip.mp4", 24)
    refs = []
    for shift, frame in enumerate(encoding.decode(tmp_path / "clip.mp4")):
        refs.append(weakref.ref(frame))
        np.testing.assert_allclose(frame.mean((0, 1)), picture(shift).mean((0, 1)), atol=2)
        assert (
            np.abs(frame.astype(int) - picture(shift)).mean()
            < 8
            < np.abs(frame.astype(int) - picture(shift + 5)).mean()
        )
        del frame
        assert sum(ref() is not None for ref in refs) <= 2
    assert len(refs) == 200
