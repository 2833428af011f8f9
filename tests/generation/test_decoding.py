"""What strangers and artists upload becomes pixels in an empty room, or a sentence says why not."""

import io
import json
import os
import signal
import struct
import subprocess
import sys
import textwrap
import time
import zipfile
import zlib
from contextlib import closing
from pathlib import Path

import av
import numpy as np
import pytest
from django.conf import settings
from PIL import Image, ImageCms, PngImagePlugin

from generation import decoding, encoding, keys, provenance
from generation.decoding import Refused, Why, process
from generation.decoding.bounds import MOST_FRAMES, PICTURE_BYTES
from generation.decoding.refusals import SENTENCES
from generation.decoding.walls import ALLOWED, NAMES

ON_LINUX = sys.platform == "linux" and os.uname().machine in ALLOWED
on_linux = pytest.mark.skipif(not ON_LINUX, reason="only Linux filters system calls")
SECRET = "the-secret-of-this-machine"


def shapes(width=96, height=64) -> Image.Image:
    """Red on the left, blue on the right: which side is which shows how it was turned."""
    image = Image.new("RGB", (width, height), (200, 20, 30))
    image.paste((30, 60, 210), (width // 2, 0, width, height))
    return image


def saved(image, path: Path, *args, **how) -> Path:
    image.save(path, *args, **how)
    return path


def clip_of(path: Path, frames=12, codec="libx264", width=96, height=64, container="mp4", **options) -> Path:
    with av.open(str(path), "w", format=container) as out:
        stream = out.add_stream(codec, rate=12, options=options)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for shift in range(frames):
            picture = np.roll(np.asarray(shapes(width, height)), shift, axis=1)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return path


def refusal(decode, path) -> Why:
    with pytest.raises(Refused) as caught:
        list(decode(path)) if decode is decoding.frames else decode(path)
    return caught.value.why


# --- The room -----------------------------------------------------------------------------------------

TRIES = """
    import json, os, resource, signal, socket, subprocess, sys, threading
    from generation.decoding import walls
    walls.limit(seconds=20, memory=2 * 1024**3, slack=4)
    parent, inside = os.getppid(), {}
    def start_thread(): threading.Thread(target=int).start()
    def allocate(): return bytes(3 * 1024**3)
    tries = dict(
        read=lambda: open("/etc/hostname").read(), list_files=lambda: os.listdir("/"), look=lambda: os.stat("/etc/passwd"),
        write=lambda: open(sys.argv[1], "w"), delete=lambda: os.unlink(sys.argv[1]), chdir=lambda: os.chdir("/"),
        connect=lambda: socket.socket(), pair=lambda: socket.socketpair(), fork=os.fork, execute=lambda: os.execv("/bin/true", ["true"]),
        spawn=lambda: subprocess.run(["true"]), thread=start_thread, kill=lambda: os.kill(parent, signal.SIGTERM),
        more_files=lambda: os.dup(0), widen=lambda: resource.setrlimit(resource.RLIMIT_CPU, (999, 999)), allocate=allocate,
    )
    stood = walls.close()
    for name, attempt in tries.items():
        try:
            attempt()
            inside[name] = "done"
        except BaseException:
            inside[name] = "refused"
    os.write(1, json.dumps([stood, inside]).encode())
    os._exit(0)
"""  # noqa: E501


@on_linux
def test_inside_the_room_nothing_can_be_opened_started_or_reached(tmp_path):
    victim = tmp_path / "kept"
    victim.write_text("still here")
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(TRIES), str(victim)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        timeout=60,
    )
    stood, inside = json.loads(told.stdout)
    assert stood
    assert {name for name, end in inside.items() if end != "refused"} == set()
    assert len(inside) == 16
    assert victim.read_text() == "still here"


@on_linux
def test_every_wall_stands_on_linux():
    assert decoding.standing_walls() == set(NAMES)


def test_nothing_of_our_environment_reaches_the_child(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setenv("DATABASE_URL", SECRET)
    assert set(process.environment()) <= {*process.ENVIRONMENT, *process.PASSED_ON}
    assert SECRET not in process.environment().values()


def test_a_child_that_hangs_is_given_up_and_ended(tmp_path):
    child = process.Child("frames", clip_of(tmp_path / "clip.mp4"), longest=96)
    os.kill(child.process.pid, signal.SIGSTOP)
    child.patience = 0.2
    with closing(child), pytest.raises(Refused) as caught:
        list(child.pixels())
    assert caught.value.why == Why.LONG
    assert child.process.returncode == -signal.SIGKILL


def test_a_child_that_breaks_is_a_refusal(tmp_path):
    child = process.Child("frames", clip_of(tmp_path / "clip.mp4"), longest=96)
    os.kill(child.process.pid, signal.SIGSEGV)
    with closing(child), pytest.raises(Refused) as caught:
        list(child.pixels())
    assert (caught.value.why, caught.value.detail) == (Why.UNREADABLE, "the child ended with -11")


def test_who_stops_looking_leaves_no_child_behind(tmp_path):
    child = process.Child("frames", clip_of(tmp_path / "clip.mp4", frames=200), longest=96)
    with closing(child):
        next(child.pixels())
    assert child.process.returncode is not None


@on_linux
def test_a_child_ends_with_its_parent(tmp_path):
    path = clip_of(tmp_path / "clip.mp4", frames=300, width=640, height=480)  # more than a pipe holds
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from generation.decoding.process import Child\n"
            "child = Child('frames', Path(sys.argv[1]), longest=640); next(child.pixels())\n"
            "print(child.process.pid, flush=True); time.sleep(60)",
            str(path),
        ],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
    )
    child = int(parent.stdout.readline())
    assert Path(f"/proc/{child}").exists()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 10
    while time.monotonic() < until and is_alive(child):
        time.sleep(0.05)
    assert not is_alive(child)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("lie", ["huge", "flat", "unknown", "reasonless"])
def test_a_child_that_was_taken_over_is_not_believed(tmp_path, monkeypatch, lie):
    monkeypatch.setattr(process, "CHILD", "tests.generation.lying_child")
    path = tmp_path / "lie"
    path.write_text(lie)
    assert refusal(decoding.picture, path) == Why.UNREADABLE


def test_every_refusal_has_its_sentence():
    assert set(SENTENCES) == set(Why)
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())
    assert Refused(Why.FORMAT).sentence == SENTENCES[Why.FORMAT]


# --- What is no file --------------------------------------------------------------------------------


@pytest.mark.parametrize("decode", [decoding.picture, decoding.frames])
def test_only_files_are_read_and_nothing_waits_for_an_endless_one(tmp_path, decode):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path, tmp_path / "absent"):
        assert refusal(decode, path) == Why.NO_FILE


@pytest.mark.parametrize("decode", [decoding.picture, decoding.frames])
def test_an_empty_file_shows_nothing(tmp_path, decode):
    (tmp_path / "empty").touch()
    assert refusal(decode, tmp_path / "empty") == Why.EMPTY


def test_a_file_with_too_many_bytes_is_not_opened_to_the_child(tmp_path):
    path = tmp_path / "large.png"
    with open(path, "wb") as file:
        file.truncate(PICTURE_BYTES + 1)
    assert refusal(decoding.picture, path) == Why.BYTES


# --- Pictures ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.exe"])
def test_pictures_are_known_by_what_is_in_them(tmp_path, name):
    path = tmp_path / name
    shapes().save(path, {"a.png": "PNG", "a.jpg": "JPEG", "a.webp": "WEBP"}.get(name, "PNG"))
    picture = decoding.picture(path)
    assert (picture.width, picture.height) == (96, 64)
    np.testing.assert_allclose(picture.pixels[32, 20], (200, 20, 30), atol=8)
    np.testing.assert_allclose(picture.pixels[32, 76], (30, 60, 210), atol=8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(picture.png))), picture.pixels)


def test_what_was_said_about_the_place_and_the_person_is_gone(tmp_path):
    exif = Image.Exif()
    exif[0x013B] = SECRET  # the artist
    exif.get_ifd(0x8825)[1] = "N"  # where on Earth
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    path = saved(shapes(), tmp_path / "a.jpg", exif=exif, comment=SECRET, xmp=f"<x>{SECRET}</x>".encode())
    assert path.read_bytes().count(SECRET.encode()) == 3
    assert Image.open(path).getexif().get_ifd(0x8825)
    made = decoding.picture(path).png
    assert SECRET.encode() not in made
    assert chunks(made) == {b"IHDR", b"IDAT", b"IEND"}
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", SECRET, zip=False)
    path = saved(shapes(), tmp_path / "a.png", pnginfo=words, exif=exif)
    assert SECRET.encode() in path.read_bytes()
    assert chunks(decoding.picture(path).png) == {b"IHDR", b"IDAT", b"IEND"}


def chunks(png: bytes) -> set[bytes]:
    found, place = set(), 8
    while place < len(png):
        length, kind = struct.unpack(">I4s", png[place : place + 8])
        found.add(kind)
        place += 12 + length
    return found


def test_a_picture_is_turned_as_the_camera_was_held(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    picture = decoding.picture(saved(shapes(96, 64), tmp_path / "a.jpg", exif=exif, quality=95))
    assert (picture.width, picture.height) == (64, 96)
    np.testing.assert_allclose(picture.pixels[20, 32], (200, 20, 30), atol=8)  # what was left is now above
    np.testing.assert_allclose(picture.pixels[76, 32], (30, 60, 210), atol=8)


def test_colors_of_another_space_become_srgb(tmp_path):
    """A profile whose red and green are exchanged: by its numbers the picture is red, by its colors green."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = (tag_place(profile, name) for name in (b"rXYZ", b"gXYZ"))
    profile[red : red + 8], profile[green : green + 8] = profile[green : green + 8], profile[red : red + 8]
    plain = Image.new("RGB", (32, 32), (255, 0, 0))
    pixels = decoding.picture(saved(plain, tmp_path / "a.png", icc_profile=bytes(profile))).pixels
    np.testing.assert_allclose(pixels[16, 16], (0, 255, 0), atol=4)
    broken = saved(plain, tmp_path / "b.png", icc_profile=bytes(profile[:200]))
    np.testing.assert_allclose(decoding.picture(broken).pixels[16, 16], (255, 0, 0), atol=4)


def tag_place(profile: bytearray, name: bytes) -> int:
    """Where in an ICC profile the offset and size of a tag stand."""
    count = struct.unpack(">I", profile[128:132])[0]
    names = [bytes(profile[132 + 12 * n : 136 + 12 * n]) for n in range(count)]
    return 136 + 12 * names.index(name)


def test_transparent_deep_printed_and_indexed_pictures_become_plain(tmp_path):
    clear = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 16, 32))
    for image in (clear, clear.quantize(16)):
        pixels = decoding.picture(saved(image, tmp_path / "a.png")).pixels
        assert pixels[16, 4].tolist() == [255, 0, 0]
        assert pixels[16, 28].tolist() == [255, 255, 255]
    deep = Image.fromarray(np.full((32, 32), 0x8000, np.uint16))
    assert decoding.picture(saved(deep, tmp_path / "b.png")).pixels[0, 0].tolist() == [128, 128, 128]
    printed = saved(shapes().convert("CMYK"), tmp_path / "c.jpg", quality=95)
    np.testing.assert_allclose(decoding.picture(printed).pixels[32, 20], (200, 20, 30), atol=10)
    gray = saved(Image.new("L", (32, 32), 77), tmp_path / "d.webp", lossless=True)
    assert decoding.picture(gray).pixels[0, 0].tolist() == [77, 77, 77]


def test_a_large_picture_comes_out_smaller_and_in_proportion(tmp_path):
    picture = decoding.picture(saved(shapes(3000, 1500), tmp_path / "a.png"), longest=512)
    assert (picture.width, picture.height) == (512, 256)


def bomb(path: Path, width: int, height: int) -> Path:
    """A PNG of a few kilobytes that says it is as large as that."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1024 * 1024), 9)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )
    return path


def test_bombs_are_refused_before_they_are_decoded(tmp_path):
    assert refusal(decoding.picture, bomb(tmp_path / "a.png", 60_000, 60_000)) == Why.PIXELS
    assert refusal(decoding.picture, bomb(tmp_path / "b.png", 2**31 - 1, 1)) == Why.PIXELS
    assert (
        refusal(decoding.picture, bomb(tmp_path / "c.png", 6000, 6000)) == Why.UNREADABLE
    )  # it ends too early


def test_the_largest_picture_that_is_read_fits_in(tmp_path):
    path = saved(Image.new("RGBA", (8000, 5000), (9, 9, 9, 128)), tmp_path / "a.png")
    assert path.stat().st_size < 1024**2
    assert decoding.picture(path, longest=64).pixels.shape == (40, 64, 3)


def test_words_that_swell_are_refused_or_left_alone(tmp_path):
    words = PngImagePlugin.PngInfo()
    words.add_text("Comment", "a" * 64 * 1024**2, zip=True)
    assert refusal(decoding.picture, saved(shapes(), tmp_path / "a.png", pnginfo=words)) == Why.UNREADABLE


@pytest.mark.parametrize("format_", ["PNG", "WEBP"])
def test_moving_pictures_are_refused(tmp_path, format_):
    path = saved(shapes(), tmp_path / "a", format_, save_all=True, append_images=[shapes().rotate(90)])
    assert refusal(decoding.picture, path) == Why.MOVING


def test_other_formats_are_refused_whatever_their_name(tmp_path):
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
    (tmp_path / "svg.png").write_bytes(svg)
    (tmp_path / "eps.jpg").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) run\n"
    )
    for name, format_ in (("gif.png", "GIF"), ("tiff.jpg", "TIFF"), ("bmp.webp", "BMP"), ("ico.png", "ICO")):
        saved(shapes(), tmp_path / name, format_)
    with zipfile.ZipFile(tmp_path / "zip.png", "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("bomb", bytes(10 * 1024**2))
    paths = sorted(tmp_path.iterdir())
    assert {path.name: refusal(decoding.picture, path) for path in paths} == dict.fromkeys(
        (path.name for path in paths), Why.FORMAT
    )
    assert len(paths) == 7


def test_of_a_file_that_is_two_things_only_the_picture_is_left(tmp_path):
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as file:
        file.writestr("page.html", f"<script>{SECRET}</script>")
    for name in ("a.png", "a.jpg"):
        path = saved(shapes(), tmp_path / name)
        path.write_bytes(path.read_bytes() + bundle.getvalue())
        assert zipfile.is_zipfile(path)
        made = decoding.picture(path).png
        assert SECRET.encode() not in made
        assert not zipfile.is_zipfile(io.BytesIO(made))


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_half_a_picture_is_refused(tmp_path, name):
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 96, 3), np.uint8))
    path = saved(noise, tmp_path / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert refusal(decoding.picture, path) == Why.UNREADABLE


# --- Videos ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["libx264", "libsvtav1"])
def test_every_frame_of_a_clip_comes_out(tmp_path, codec):
    options = {"preset": "10"} if codec == "libsvtav1" else {}
    found = list(decoding.frames(clip_of(tmp_path / "clip", 12, codec, **options)))
    assert [frame.shape for frame in found] == [(64, 96, 3)] * 12
    for shift, frame in enumerate(found):
        np.testing.assert_allclose(frame[32, (20 + shift) % 96], (200, 20, 30), atol=16)


def test_our_own_clips_come_out_as_they_went_in(tmp_path):
    made = [np.roll(np.asarray(shapes()), shift, axis=1) for shift in range(8)]
    encoding.encode(made, tmp_path / "clip.mp4", 12)
    for frame, as_made in zip(decoding.frames(tmp_path / "clip.mp4"), made, strict=True):
        np.testing.assert_allclose(frame[32, 40:44].mean(axis=0), as_made[32, 40:44].mean(axis=0), atol=6)


def test_frames_are_bounded_in_number_and_size(tmp_path):
    path = clip_of(tmp_path / "clip.mp4", frames=MOST_FRAMES + 50)
    found = list(decoding.frames(path, longest=48))
    assert len(found) == MOST_FRAMES
    assert found[0].shape == (32, 48, 3)
    with closing(decoding.frames(path, most=3)) as few:
        assert len(list(few)) == 3


def test_a_frame_of_too_many_pixels_is_refused(tmp_path):
    path = clip_of(tmp_path / "clip.mp4", 1, width=6144, height=3456, preset="ultrafast")
    assert refusal(decoding.frames, path) == Why.PIXELS


def test_a_clip_cut_short_shows_what_there_is_of_it(tmp_path):
    noise = np.random.default_rng(1).integers(0, 255, (24, 64, 96, 3), np.uint8)
    encoding.encode(iter(noise), tmp_path / "clip.mp4", 12)
    whole = (tmp_path / "clip.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) * 2 // 3])
    assert 0 < len(list(decoding.frames(cut))) < 24
    cut.write_bytes(whole[:500])
    assert refusal(decoding.frames, cut) == Why.CODEC


@pytest.mark.parametrize("codec, container", [("mpeg4", "mp4"), ("mjpeg", "mov"), ("libvpx-vp9", "webm")])
def test_other_codecs_and_containers_are_refused(tmp_path, codec, container):
    assert refusal(decoding.frames, clip_of(tmp_path / "a.mp4", 4, codec, container=container)) == Why.CODEC


def test_a_playlist_named_mp4_reads_nothing_of_this_machine(tmp_path):
    """ffmpeg opens these by what they say, and then whatever they name."""
    clip_of(tmp_path / "private.mp4")
    (tmp_path / "private.ts").write_bytes(clip_of(tmp_path / "x", container="mpegts").read_bytes())
    lists = {
        "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://{tmp_path}/private.ts\n#EXT-X-ENDLIST\n",
        "concat.mp4": f"ffconcat version 1.0\nfile {tmp_path}/private.mp4\n",
        "safe.mp4": "ffconcat version 1.0\nfile private.mp4\n",
        "passwd.mp4": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "dash.mp4": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
        "sdp.mp4": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
    }
    for name, text in lists.items():
        (tmp_path / name).write_text(text)
    with av.open(str(tmp_path / "safe.mp4")) as led_on:  # that this is no empty threat
        assert led_on.format.name == "concat"
        assert len(list(led_on.decode(video=0))) == 12
    assert {name: refusal(decoding.frames, tmp_path / name) for name in lists} == dict.fromkeys(
        lists, Why.CODEC
    )


def test_noise_is_refused_as_video(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(os.urandom(100_000))
    assert refusal(decoding.frames, path) == Why.CODEC


@on_linux
def test_strangers_files_are_opened_where_the_walls_stand(tmp_path):
    assert len(list(decoding.frames(clip_of(tmp_path / "clip.mp4"), walled=True))) == 12


def test_strangers_files_are_not_opened_where_a_wall_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "CHILD", "tests.generation.lying_child")
    path = tmp_path / "lie"
    path.write_text("roofless")
    with pytest.raises(Refused) as caught:
        decoding.picture(path, walled=True)
    assert caught.value.why == Why.NO_WALLS


# --- What a file says of itself ----------------------------------------------------------------------


def test_a_manifest_is_read_inside_the_room_as_it_is_outside(tmp_path):
    plain = clip_of(tmp_path / "plain.mp4", movflags="faststart")
    signed, changed = tmp_path / "signed.mp4", tmp_path / "changed.mp4"
    provenance.sign(plain, signed, provenance.Origin("a model", "1", "the-id"), keys.signing())
    content = bytearray(signed.read_bytes())
    content[-1] ^= 1
    changed.write_bytes(content)
    found = [film_of(path) for path in (plain, signed, changed)]
    assert found == [provenance.read(path, keys.anchors()) for path in (plain, signed, changed)]
    assert found[0] is None
    assert (found[1].state, found[1].submission) == (provenance.State.TRUSTED, "the-id")
    assert found[2].state == provenance.State.INVALID


@pytest.mark.parametrize("lie", ["wordless", "wordy", "shapeless"])
def test_a_child_that_was_taken_over_tells_no_manifest(tmp_path, monkeypatch, lie):
    monkeypatch.setattr(process, "CHILD", "tests.generation.lying_child")
    path = tmp_path / "lie"
    path.write_text(lie)
    assert refusal(film_of, path) == Why.UNREADABLE


def film_of(path):
    """Its manifest, once its frames have come out too."""
    with decoding.film(path, keys.anchors()) as (manifest, frames):
        assert len(list(frames)) == 12
    return manifest
