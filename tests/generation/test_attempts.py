"""One attempt from its claim to a stored clip, in this process, with the engine's real child."""

import hashlib
import re
import threading
import time
from contextlib import contextmanager

import av
import numpy as np
import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from generation import attempts, encoding, queue, storage, takes
from generation.engine import process
from generation.models import Attempt, Clip, Job
from tests import factories

from . import claiming

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True, scope="module")
def warm_engine():
    """One child serves all these tests, as it serves all jobs of a worker."""
    yield
    attempts.close_engine()


def run(job: Job) -> Job:
    """Claims the job once and carries it out."""
    attempts.carry_out(factories.claim_of(job))
    job.refresh_from_db()
    return job


def last_attempt(job) -> Attempt:
    return Attempt.objects.filter(job=job).latest("number")


def private_files() -> set[str]:
    """Every path below the private store, folders without files included."""
    root = storage.private().root
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


@contextmanager
def engine_that_hangs_after(seconds):
    attempts.close_engine()
    attempts._engine = process.EngineProcess(hang_after=seconds)
    yield
    attempts.close_engine()


def test_a_prompt_becomes_a_clip_with_its_files(artist):
    job = run(factories.job(artist, steps=3))
    clip = Clip.objects.get()
    assert (job.status, job.error, last_attempt(job).outcome) == ("succeeded", "", "succeeded")
    assert (clip.job, clip.owner) == (job, artist)
    assert (clip.width, clip.height, clip.frames, clip.fps) == (128, 128, 12, 12.0)
    files = {file.kind: file for file in clip.renditions.all()}
    assert set(files) == {"video", "poster", "sprite"}
    for file in files.values():
        content = storage.private().path(storage.private_name(file.sha256)).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (file.sha256, file.size)
    assert private_files() == {storage.private_name(file.sha256) for file in files.values()}
    video = encoding.probe(storage.private().path(storage.private_name(files["video"].sha256)))
    assert (video.codec, video.pixel_format, video.width, video.frames) == ("h264", "yuv420p", 128, 12)


def test_with_the_setting_a_clip_has_an_av1_that_its_page_offers_first(artist, login, settings):
    settings.AV1 = True
    attempts.close_engine()
    run(factories.job(artist, steps=1))
    attempts.close_engine()
    clip = Clip.objects.get()
    file = clip.rendition("av1")
    stored = storage.private().path(storage.private_name(file.sha256))
    assert (encoding.probe(stored).frames, file.size) == (12, stored.stat().st_size)
    page = login(artist).get(f"/studio/clips/{clip.pk}/").text
    assert re.findall('<source src="([^"]*)"', page) == [
        f"/studio/clips/{clip.pk}/video.av1.mp4",
        f"/studio/clips/{clip.pk}/video.mp4",
    ]


def test_the_recipe_kept_with_a_clip_says_all_that_decided_it(artist):
    job = factories.job(artist, prompt="a test card of things", negative_prompt="rain", steps=2, seed=99)
    run(job)
    told = Clip.objects.get().recipe
    assert {name: value for name, value in told.items() if name not in ("revision", "versions")} == {
        "model": "testcard",
        "prompt": "a test card of things",
        "negative_prompt": "rain",
        "width": 128,
        "height": 128,
        "frames": 12,
        "fps": 12.0,
        "steps": 2,
        "guidance": 3.0,
        "seed": 99,
        "image": "",
    }
    assert told["revision"] == "1"
    assert {"torch", "diffusers", "numpy", "ffmpeg", "python"} <= set(told["versions"])
    assert all(told["versions"].values())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(artist):
    digests = []
    for seed in (5, 5, 6):
        run(factories.job(artist, steps=1, seed=seed))
        clip = Clip.objects.latest("created_at")
        digests.append({kind: clip.rendition(kind).sha256 for kind in ("video", "poster", "sprite")})
    assert digests[0] == digests[1]
    assert digests[0]["video"] != digests[2]["video"]
    assert digests[0]["poster"] != digests[2]["poster"]
    assert digests[0]["sprite"] != digests[2]["sprite"]
    assert len(private_files()) == 6


@pytest.mark.parametrize("size", [(128, 128), (900, 300), (40, 160)])
def test_a_take_begins_with_the_picture_that_lies_in_the_private_store(artist, size):
    picture = factories.picture(artist, color=(200, 40, 40), size=size)
    sha256 = picture.sha256
    job = run(factories.job(artist, picture=picture, steps=2))
    clip = Clip.objects.get()
    assert (job.status, job.image, clip.recipe["image"]) == ("succeeded", sha256, sha256)
    video = storage.private().path(storage.private_name(clip.rendition("video").sha256))
    with av.open(str(video)) as opened:
        first = next(opened.decode(video=0)).to_ndarray(format="rgb24")
    assert np.abs(first.astype(int) - (200, 40, 40)).max() < 12
    assert len(private_files()) == 4


def test_a_take_whose_picture_is_gone_fails_at_once_with_a_sentence(artist):
    picture = factories.picture(artist)
    storage.private().delete(storage.private_name(picture.sha256))
    job = run(factories.job(artist, picture=picture))
    assert (job.status, job.error) == ("failed", str(attempts.PICTURE_IS_GONE))
    assert last_attempt(job).detail == "not in the private store"
    assert private_files() == set()


def test_a_child_that_crashes_costs_an_attempt_and_three_cost_the_job(artist, caplog):
    job = factories.job(artist, prompt="crash please", steps=2)
    for number in (1, 2):
        run(job)
        assert (job.status, job.attempts_made, job.error) == ("queued", number, "")
        assert last_attempt(job).outcome == "failed"
        assert "ended with 3" in last_attempt(job).detail
    run(job)
    assert job.status == "failed"
    assert job.error.startswith("We tried 3 times and couldn't finish this take.")
    assert private_files() == set()
    assert "crash please" not in caplog.text


def test_a_child_that_hangs_is_ended_and_its_job_waits_again(artist):
    job = factories.job(artist, prompt="hang here", steps=2)
    with engine_that_hangs_after(0.8):
        attempt = factories.claim_of(job)
        started = time.monotonic()
        attempts.carry_out(attempt)
        assert attempts.engine().pid is None
    job.refresh_from_db()
    assert (job.status, last_attempt(job).outcome) == ("queued", "failed")
    assert time.monotonic() - started < 15


def test_an_error_that_a_retry_would_not_change_ends_the_job_in_the_engine_s_words(artist):
    job = run(factories.job(artist, prompt="please fail", steps=2))
    assert (job.status, job.attempts_made) == ("failed", 1)
    assert job.error == "The test card was asked to fail, and did."
    assert private_files() == set()


def test_broken_numbers_are_tried_again_and_never_shown(artist):
    job = run(factories.job(artist, prompt="nan", steps=1))
    assert job.status == "queued"
    assert not Clip.objects.exists()


def test_a_recipe_that_its_model_no_longer_takes_ends_in_the_rule_s_sentence(artist):
    job = factories.job(artist)
    Job.objects.filter(pk=job.pk).update(steps=51)
    run(job)
    assert job.status == "failed"
    assert job.error == "Steps must be a whole number from 1 to 50, not 51."


def test_a_model_that_is_gone_ends_in_a_sentence(artist):
    job = factories.job(artist)
    Job.objects.filter(pk=job.pk).update(model="withdrawn")
    run(job)
    assert (job.status, job.error) == ("failed", "There is no model named “withdrawn”.")


def test_a_trouble_of_one_clip_leaves_the_next_one_whole(artist):
    run(factories.job(artist, prompt="please fail", steps=1))
    job = run(factories.job(artist, steps=1))
    assert job.status == "succeeded"


# --- Cancelled, or taken over --------------------------------------------------------------------


def in_the_middle(job, act) -> float:
    """Carries the job out; once it denoises, `act(attempt)` runs beside it. Returns the seconds from act to end."""
    attempt, acted = factories.claim_of(job), []

    def watch():
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not acted:
            if Attempt.objects.get(pk=attempt.pk).stage == "denoising":
                act(attempt)
                acted.append(time.monotonic())
            time.sleep(0.02)
        connections.close_all()

    beside = threading.Thread(target=watch)
    beside.start()
    attempts.carry_out(attempt)
    ended = time.monotonic()
    beside.join()
    assert acted, "it never denoised"
    job.refresh_from_db()
    return ended - acted[0]


@pytest.mark.django_db(transaction=True)
def test_a_cancel_in_the_midst_of_denoising_stops_the_work_within_two_seconds():
    owner = factories.member()
    job = factories.job(owner, prompt="slow card", steps=40)
    took = in_the_middle(job, lambda _: queue.cancel(job, by=owner))
    assert took < 2
    assert attempts.engine().pid is None
    assert (job.status, last_attempt(job).outcome) == ("cancelled", "cancelled")
    assert not Clip.objects.exists()
    assert private_files() == set()


@pytest.mark.django_db(transaction=True)
def test_a_worker_whose_lease_was_taken_stops_by_itself():
    job = factories.job(factories.member(), prompt="slow card", steps=40)

    def lapse(attempt):
        Attempt.objects.filter(pk=attempt.pk).update(lease_until=attempt.started_at)
        assert queue.put_back_lapsed() == 1

    assert in_the_middle(job, lapse) < 2
    assert attempts.engine().pid is None
    assert (job.status, last_attempt(job).outcome) == ("queued", "lapsed")


@pytest.mark.django_db(transaction=True)
def test_stage_and_step_are_told_while_the_work_goes_on():
    job = factories.job(factories.member(), prompt="slow card", steps=5)
    attempt, seen, over = factories.claim_of(job), [], threading.Event()

    def watch():
        while not over.is_set():
            told = Attempt.objects.values_list("stage", "step").get()
            if told not in seen:
                seen.append(told)
            time.sleep(0.005)
        connections.close_all()

    beside = threading.Thread(target=watch)
    beside.start()
    attempts.carry_out(attempt)
    over.set()
    beside.join()
    order = ["loading", "denoising", "encoding", "storing"]
    assert [order.index(stage) for stage, _ in seen] == sorted(order.index(stage) for stage, _ in seen)
    assert {"loading", "denoising"} <= {stage for stage, _ in seen}
    steps = [step for stage, step in seen if stage == "denoising"]
    assert len(steps) >= 2
    assert steps == sorted(steps)


@pytest.mark.django_db
def test_quick_steps_are_not_each_written():
    """Twenty a second: the row is written about once a second, and when the stage changes."""
    attempt = factories.claim_of(factories.job(factories.member(), steps=50))
    started = time.monotonic()
    with CaptureQueriesContext(connection) as asked:
        attempts.carry_out(attempt)
    written = [
        query["sql"]
        for query in asked.captured_queries
        if query["sql"].startswith('UPDATE "generation_attempt"') and '"step" =' in query["sql"]
    ]
    seconds = time.monotonic() - started
    assert (
        4 <= len(written) <= 4 + 2 * (seconds + 1)
    )  # four stages; then progress and picture, each once a second
    assert last_attempt(attempt.job).outcome == "succeeded"


# --- The store ----------------------------------------------------------------------------------


def test_a_store_that_can_not_be_written_costs_attempts_and_ends_in_a_sentence(artist, caplog):
    job = factories.job(artist, steps=1)
    root = storage.private().root
    root.parent.mkdir(exist_ok=True)
    root.write_text("a file where the folder should be")  # holds against root, too
    for _ in range(3):
        run(job)
    assert job.status == "failed"
    assert job.error.startswith("We tried 3 times")
    assert {attempt.detail for attempt in job.attempts.all()} <= {"FileExistsError", "NotADirectoryError"}
    assert not Clip.objects.exists()


def test_a_store_that_fills_up_in_the_last_moment_costs_an_attempt_only(artist, settings):
    job = factories.job(artist, steps=1)
    attempt = factories.claim_of(job)
    in_the_way = storage.private()
    in_the_way.root.mkdir(parents=True)
    for number in range(256):
        (in_the_way.root / f"{number:02x}").write_text("no folder")
    attempts.carry_out(attempt)
    job.refresh_from_db()
    assert (job.status, job.attempts_made) == ("queued", 1)
    for number in range(256):
        (in_the_way.root / f"{number:02x}").unlink()
    assert private_files() == set()
    assert run(job).status == "succeeded"


def test_no_job_is_claimed_while_the_disk_is_full(artist, monkeypatch, caplog):
    job = factories.job(artist)
    monkeypatch.setattr(attempts, "DISK_RESERVE", 2**62)
    assert attempts.work("tests") == 0
    job.refresh_from_db()
    assert (job.status, job.attempts_made) == ("queued", 0)
    assert "MB are free in the private store: no job is claimed" in caplog.text


# --- The worker's loop --------------------------------------------------------------------------


def test_a_worker_goes_on_until_nothing_waits(artist):
    jobs = [factories.job(artist, steps=1), factories.job(factories.member(), steps=1)]
    jobs.append(factories.job(artist, prompt="please fail", steps=1))
    assert attempts.work("tests") == 3
    assert [Job.objects.get(pk=job.pk).status for job in jobs] == ["succeeded", "succeeded", "failed"]


@pytest.mark.django_db(transaction=True)
def test_a_job_that_lapses_while_others_are_made_is_taken_up_in_the_same_go():
    """A long queue must not keep a dead worker's job from its next try."""
    orphaned = factories.job(factories.member(), steps=1)
    attempt = factories.claim_of(orphaned)
    factories.job(factories.member(), prompt="slow card", steps=4)

    def lapse():
        time.sleep(0.3)
        Attempt.objects.filter(pk=attempt.pk).update(lease_until=attempt.started_at)
        connections.close_all()

    beside = threading.Thread(target=lapse)
    beside.start()
    assert attempts.work("tests") == 2
    beside.join()
    assert set(Job.objects.values_list("status", flat=True)) == {"succeeded"}


def test_no_log_holds_a_prompt(artist, caplog):
    for prompt in ("crash zanzibar", "fail zanzibar", "nan zanzibar", "zanzibar"):
        run(factories.job(factories.member(), prompt=prompt, steps=1))
    assert "zanzibar" not in caplog.text.lower()
    assert not [detail for detail in Attempt.objects.values_list("detail", flat=True) if "zanzibar" in detail]


def test_what_a_killed_attempt_left_on_this_machine_goes_before_the_next_is_claimed(
    artist, settings, tmp_path
):
    settings.SCRATCH = tmp_path / "scratch"
    killed = factories.claim_of(factories.job(artist))
    queue.give_up(killed, retry=False, sentence="It was killed.")
    running = factories.claim_of(factories.job(artist))
    for name in (f"attempt-{killed.pk}", f"attempt-{running.pk}", "attempt-of-nobody", "something-else"):
        (settings.SCRATCH / name).mkdir(parents=True)
        (settings.SCRATCH / name / "frames").write_bytes(b"half a clip")
    assert attempts.work("tests") == 0
    left = {path.name for path in settings.SCRATCH.iterdir()}
    assert left == {f"attempt-{running.pk}", "attempt-of-nobody", "something-else"}


def test_a_take_that_is_deleted_while_its_worker_fails_costs_the_worker_nothing(artist):
    """The cancel frees the page at once; the worker hears of it up to a second later."""
    gone, next_one = factories.job(artist), factories.job(artist)
    attempt = factories.claim_of(gone)
    queue.cancel(gone, by=artist)
    takes.remove(gone, by=artist)
    assert not queue.give_up(attempt, retry=True)
    assert not queue.give_up(attempt, retry=True, outcome=Attempt.Outcome.LAPSED)
    assert not claiming.finish(attempt)
    attempts.carry_out(attempt)
    assert attempts.work("tests") == 1
    assert Clip.objects.get().job == next_one
