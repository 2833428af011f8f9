"""The engine's child is followed, stopped, replaced and outlived; every test runs real processes."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from threading import Timer

import av
import numpy as np
import pytest
from PIL import Image

from generation import encoding
from generation.engine import SPRITE_MOMENTS, catalog, child, process

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    monkeypatch.setenv("SORAHUB_TESTCARD", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="module")
def engine():
    """One for all, since a child takes a while to start; a test that must see it start closes it first."""
    with closing(process.EngineProcess()) as engine:
        yield engine


def recipe(prompt="bars", *, seed=7, steps=4, **changes):
    return replace(catalog.TESTCARD.recipe(prompt, seed=seed, steps=steps), **changes)


def run(engine, recipe, folder):
    with closing(engine.run(recipe, folder)) as events:
        return list(events)


def until(engine, recipe, folder, wanted):
    """The run's iterator, stopped at the first event of that kind."""
    events = engine.run(recipe, folder)
    assert any(isinstance(event, wanted) for event in events)
    return events


def telling(events):
    """What is told whatever the clock says: ticks and pictures come by time."""
    return [event for event in events if not isinstance(event, process.Tick | process.Preview)]


def is_gone(pid):
    """Whether the process has ended; one that nobody has collected yet counts as ended."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"
    except (ProcessLookupError, FileNotFoundError):
        return True


def wait_until_gone(pid, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not is_gone(pid):
        time.sleep(0.02)
    return is_gone(pid)


def test_a_run_tells_its_steps_and_ends_with_a_video_and_its_stills(engine, tmp_path):
    engine.close()
    *before, done = telling(run(engine, recipe(steps=3), tmp_path))
    assert before == [process.Loading(), *(process.Step(n, 3) for n in (1, 2, 3)), process.Encoding()]
    names = ["video.mp4", "poster.jpg", "sprite.jpg"]
    assert [done.video, done.poster, done.sprite] == [tmp_path / name for name in names]
    assert {path.name for path in tmp_path.iterdir()} == set(names)

    encoded = encoding.probe(done.video)
    assert (encoded.codec, encoded.pixel_format) == ("h264", "yuv420p")
    data = done.video.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat")
    with Image.open(done.poster) as image:
        assert (image.format, image.size) == ("JPEG", (128, 128))
    with Image.open(done.sprite) as image:
        assert (image.format, image.size) == ("JPEG", (SPRITE_MOMENTS * 128, 128))

    assert done.av1 is None
    seconds = done.info.pop("seconds")
    assert 0.15 <= seconds < 30
    assert set(done.info.pop("versions")) == {
        "torch",
        "diffusers",
        "transformers",
        "numpy",
        "python",
        "ffmpeg",
    }
    assert done.info == {
        "width": 128,
        "height": 128,
        "frames": 12,
        "fps": 12.0,
        "duration": 1.0,
        "device": "cpu",
        "model_revision": "1",
    }


def test_what_a_model_makes_heard_is_in_the_file_and_as_long_as_the_clip(engine, tmp_path):
    *_, done = run(engine, recipe("a tone"), tmp_path / "heard")
    assert encoding.probe(done.video).sound == "aac"
    with av.open(str(done.video)) as container:
        samples = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], 1)
    assert abs(samples.shape[1] / 48_000 - 1.0) < 0.05
    assert np.abs(np.fft.rfft(samples[0])).argmax() * 48_000 / samples.shape[1] == pytest.approx(440, abs=2)
    *_, done = run(engine, recipe("bars"), tmp_path / "mute")
    assert encoding.probe(done.video).sound == ""


def test_a_clip_is_made_as_av1_too_where_that_was_asked_for(tmp_path):
    with closing(process.EngineProcess(av1=True)) as engine:
        *_, done = run(engine, recipe("a tone"), tmp_path)
    assert done.av1 == tmp_path / "video.av1.mp4"
    assert [encoding.probe(path).frames for path in (done.video, done.av1)] == [12, 12]


def test_the_child_stays_warm_and_the_same_seed_gives_the_same_bytes(engine, tmp_path):
    made, pids = {}, set()
    for name, seed in (("first", 7), ("again", 7), ("other", 8)):
        *_, done = run(engine, recipe(seed=seed), tmp_path / name)
        made[name] = [path.read_bytes() for path in (done.video, done.poster, done.sprite)]
        pids.add(engine.pid)
    engine.close()
    *_, done = run(engine, recipe(seed=7), tmp_path / "fresh")
    fresh = [path.read_bytes() for path in (done.video, done.poster, done.sprite)]
    assert made["first"] == made["again"] == fresh
    assert made["other"] != made["first"]
    assert len(pids) == 1
    assert engine.pid not in pids


def test_time_is_told_at_least_every_half_second(engine, tmp_path):
    told = [time.monotonic()]
    ticks = 0
    engine.close()
    for event in engine.run(recipe("slow bars", steps=2), tmp_path):
        told.append(time.monotonic())
        ticks += isinstance(event, process.Tick)
    assert max(after - before for before, after in pairwise(told)) < 2
    assert ticks >= 2


def test_what_libraries_print_does_not_disturb_the_protocol(engine, tmp_path):
    *_, done = run(engine, recipe("noisy bars"), tmp_path)
    assert done.video == tmp_path / "video.mp4"


def picture(path, *, size=(128, 128), mode="RGB", form="PNG"):
    """A slope of light from the upper left corner to the lower right one."""
    slope = np.add.outer(np.arange(size[1]), np.arange(size[0])).astype(np.uint8)
    Image.fromarray(np.repeat(slope[..., None], 3, 2)).convert(mode).save(path, form)
    return sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_clip_begins_with_the_picture_that_its_recipe_names(engine, tmp_path, form):
    named = picture(tmp_path / "picture", form=form)
    *_, done = engine.run(recipe(image=named), tmp_path / "out", tmp_path / "picture")
    with av.open(str(done.video)) as video, Image.open(tmp_path / "picture") as begins_with:
        first = next(video.decode(video=0)).to_ndarray(format="rgb24")
        assert np.abs(first.astype(int) - np.array(begins_with)).mean() < 4
        assert np.abs(first.astype(int) - np.array(begins_with)[::-1]).mean() > 40


@pytest.mark.parametrize(
    "spoil, detail",
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(path.read_bytes()[:-9]), "not the file that the recipe names"),
        (lambda path: picture(path, form="JPEG"), "not the file that the recipe names"),
    ],
)
def test_a_picture_that_is_not_the_recipe_s_makes_no_clip(engine, tmp_path, spoil, detail):
    named = picture(tmp_path / "picture")
    spoil(tmp_path / "picture")
    *_, failed = engine.run(recipe(image=named), tmp_path / "out", tmp_path / "picture")
    assert (failed.sentence, failed.retry) == (child.NO_PICTURE, False)
    assert detail in failed.detail


@pytest.mark.parametrize(
    "made, detail",
    [
        ({"size": (64, 128)}, "RGB of (64, 128) for 128x128"),
        ({"mode": "L"}, "L of (128, 128) for 128x128"),
        ({"form": "GIF"}, "cannot identify image file"),
    ],
)
def test_a_picture_of_another_kind_or_size_makes_no_clip(engine, tmp_path, made, detail):
    named = picture(tmp_path / "picture", **made)
    *_, failed = engine.run(recipe(image=named), tmp_path / "out", tmp_path / "picture")
    assert (failed.sentence, failed.retry) == (child.NO_PICTURE, False)
    assert detail in failed.detail


def test_a_picture_named_and_not_given_or_given_and_not_named_makes_no_clip(engine, tmp_path):
    named = picture(tmp_path / "picture")
    for asked, given in ((named, None), ("", tmp_path / "picture")):
        *_, failed = engine.run(recipe(image=asked), tmp_path / "out", given)
        assert failed.sentence == child.NO_PICTURE


def test_a_rule_broken_fails_at_once_without_a_child(engine, tmp_path):
    engine.close()
    (failed,) = run(engine, recipe(steps=51), tmp_path)
    assert failed == process.Failed(
        "Steps must be a whole number from 1 to 50, not 51.", retry=False, detail=""
    )
    assert engine.pid is None


@pytest.mark.parametrize(
    "prompt, sentence, retry",
    [
        ("please crash now", process.STOPPED, True),
        ("please fail now", "The test card was asked to fail, and did.", False),
        (
            "please nan now",
            "The model lost its way and produced no picture. Another seed usually helps.",
            True,
        ),
        (
            "please black now",
            "The model produced only black. Another seed or fewer words usually help.",
            True,
        ),
    ],
)
def test_trouble_becomes_a_sentence_and_the_next_run_works(engine, tmp_path, prompt, sentence, retry):
    *_, failed = run(engine, recipe(prompt), tmp_path)
    assert (failed.sentence, failed.retry) == (sentence, retry)
    assert failed.detail.startswith("the child ended with 3") == ("crash" in prompt)
    assert not (tmp_path / "video.mp4").exists()
    assert isinstance(run(engine, recipe(), tmp_path)[-1], process.Done)


def test_a_child_that_hangs_is_killed(tmp_path):
    with closing(process.EngineProcess(hang_after=1.2)) as engine:
        events = until(engine, recipe("hang"), tmp_path, process.Step)
        pid, started = engine.pid, time.monotonic()
        *_, failed = events
    assert (failed.sentence, failed.retry) == (process.HUNG, True)
    assert 1 < time.monotonic() - started < 10
    assert is_gone(pid)


@pytest.mark.parametrize(
    "megapixels, patience",
    [
        (0.1, 60),  # small and quick: a busy machine is no hanging one
        (1, 100),
        (10, 300),
        (100, 500),  # as long as the whole clip should take on slow hardware, and no multiple of that
    ],
)
def test_how_long_silence_may_last_grows_with_the_work_and_not_without_end(monkeypatch, megapixels, patience):
    paced = replace(catalog.TESTCARD, step_seconds=0.5)
    monkeypatch.setattr(catalog, "CATALOG", {"testcard": paced})
    asked = replace(recipe(steps=10), width=1000, height=1000, frames=1)
    asked = replace(asked, height=round(1000 * megapixels))
    assert process.EngineProcess()._patience(asked) == pytest.approx(patience)


def test_a_child_that_never_loads_is_killed(engine, tmp_path, monkeypatch):
    engine.close()
    impatient = replace(catalog.TESTCARD, load_seconds=0.0)
    monkeypatch.setattr(catalog, "CATALOG", {"testcard": impatient})
    assert telling(run(engine, recipe(), tmp_path))[-1].sentence == process.HUNG


def test_closing_the_iterator_ends_the_work(engine, tmp_path):
    events = until(engine, recipe("slow bars", steps=50), tmp_path, process.Step)
    pid = engine.pid
    events.close()
    assert is_gone(pid)
    assert engine.pid is None
    with pytest.raises(ProcessLookupError):
        os.killpg(pid, 0)
    assert isinstance(run(engine, recipe(), tmp_path)[-1], process.Done)


def test_leaving_at_the_last_event_keeps_the_child_warm(engine, tmp_path):
    until(engine, recipe(), tmp_path, process.Done).close()
    pid = engine.pid
    assert isinstance(run(engine, recipe(), tmp_path)[-1], process.Done)
    assert engine.pid == pid


def test_a_kill_from_elsewhere_in_the_middle_of_a_step_becomes_a_failure(engine, tmp_path):
    events = until(engine, recipe("slow bars", steps=50), tmp_path, process.Step)
    pid = engine.pid
    Timer(0.2, engine.kill).start()
    *_, failed = events
    assert (failed.sentence, failed.retry) == (process.STOPPED, True)
    assert is_gone(pid)


def test_a_child_killed_from_outside_becomes_a_failure(engine, tmp_path):
    events = until(engine, recipe("slow bars", steps=50), tmp_path, process.Step)
    os.kill(engine.pid, signal.SIGKILL)
    *_, failed = events
    assert (failed.sentence, failed.retry) == (process.STOPPED, True)
    assert failed.detail.startswith("the child ended with -9")


def test_a_warm_child_that_died_while_idle_is_replaced_unnoticed(engine, tmp_path):
    run(engine, recipe(), tmp_path)
    os.kill(engine.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert isinstance(run(engine, recipe(), tmp_path)[-1], process.Done)


def test_a_new_run_ends_one_that_was_left_unfinished(engine, tmp_path):
    abandoned = until(engine, recipe("slow bars", steps=50), tmp_path / "old", process.Step)
    pid = engine.pid
    assert isinstance(run(engine, recipe(), tmp_path / "new")[-1], process.Done)
    assert is_gone(pid)
    survivor = engine.pid
    abandoned.close()
    assert engine.pid == survivor
    assert not is_gone(survivor)


def test_a_child_whose_orders_end_is_gone_within_two_seconds(engine, tmp_path):
    with closing(until(engine, recipe("hang"), tmp_path, process.Step)):
        pid = engine.pid
        engine._child.process.stdin.close()  # outside Linux, all that a child notices of its parent's death
        assert wait_until_gone(pid, 2)


MIDDLE = """
import sys
from pathlib import Path
from generation.engine import catalog, child, process
engine = process.EngineProcess()
recipe = catalog.TESTCARD.recipe("slow bars", seed=1, steps=50)
for event in engine.run(recipe, Path(sys.argv[1])):
    if isinstance(event, process.Step):
        print(engine.pid, flush=True)
"""


def test_a_parent_killed_without_a_word_takes_its_child_along(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", MIDDLE, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    with parent:
        pid = int(parent.stdout.readline())
        assert not is_gone(pid)
        parent.kill()
    assert wait_until_gone(pid, 2)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_files_fails_before_any_work(engine, tmp_path):
    engine.close()
    (tmp_path / "file").write_text("not a folder")
    events = telling(run(engine, recipe(), tmp_path / "file"))
    assert [type(event) for event in events] == [process.Loading, process.Failed]
    assert (events[-1].sentence, events[-1].retry) == (encoding.NOT_WRITABLE, False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full plays the full disk")
def test_a_full_disk_becomes_a_sentence(engine, tmp_path):
    (tmp_path / ".video.mp4.part").symlink_to("/dev/full")
    *_, failed = run(engine, recipe(), tmp_path)
    assert (failed.sentence, failed.retry) == (encoding.DISK_FULL, True)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, with room for a little."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("only root may mount a disk that is small enough to be full")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts as Linux does")
def test_a_disk_that_fills_up_on_the_way_becomes_a_sentence(engine, small_disk):
    """There is room when the work begins, and none for the whole clip."""
    long = catalog.TESTCARD.recipe("bars", seed=7, steps=2, size=(192, 128), duration=2)
    *_, failed = run(engine, long, small_disk)
    assert (failed.sentence, failed.retry) == (encoding.DISK_FULL, True), failed
    assert {path.name for path in small_disk.iterdir()} <= {
        "poster.jpg",
        "sprite.jpg",
    }  # nothing half-written


@pytest.mark.parametrize("part", ["transformer", "text_encoder"])
@pytest.mark.parametrize("spoil", ["truncated", "missing", "of another model"])
def test_weights_that_are_not_whole_become_a_sentence_before_any_step(
    engine, tmp_path, monkeypatch, part, spoil
):
    folder = tmp_path / "weights"
    shutil.copytree(catalog.EMBEDDED.weights, folder)
    (file,) = (folder / part).glob("*.safetensors")
    match spoil:
        case "truncated":
            os.truncate(file, file.stat().st_size // 2)
        case "missing":
            file.unlink()
        case _:
            shutil.copyfile(folder / "vae" / "diffusion_pytorch_model.safetensors", file)
    monkeypatch.setenv("SORAHUB_EMBEDDED_WEIGHTS", str(folder))
    before, failed = telling(run(engine, catalog.EMBEDDED.recipe("a ball", seed=1), tmp_path / "out"))
    assert before == process.Loading()
    assert "could not be loaded: its files are incomplete or damaged." in failed.sentence
    assert not failed.retry
    assert str(folder) in failed.detail


def test_following_an_engine_imports_neither_torch_nor_django():
    code = (
        "import sys, generation.engine.process, generation.engine.catalog, generation.encoding;"
        "print([name for name in ('torch', 'diffusers', 'transformers', 'django') if name in sys.modules])"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], cwd=PROJECT, text=True)
    assert printed.strip() == "[]"
