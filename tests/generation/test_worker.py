"""Real workers while nobody kills them: lost messages, a cancel and an end cost seconds, and leave nothing behind."""

import threading
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty

import pytest
from django.urls import reverse
from kombu import Connection

from accounts.models import exclusion, pause
from generation import queue, storage
from generation.models import Attempt, Clip
from tests import factories

from .workers import (
    check_files,
    check_one_clip_each,
    descendants,
    empty_broker,
    engine_children,
    is_over,
    is_running,
    send,
    until,
)

pytestmark = [
    pytest.mark.usefixtures("empty_queue_of_messages"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not Path("/proc/self/task").exists(), reason="reads /proc to find a worker's children"
    ),
]


def test_a_lost_nudge_costs_seconds_and_a_closed_tab_nothing(workers, login):
    owner = factories.member()
    job = send(login, owner, steps="1")
    assert empty_broker() == 1
    usual = workers()
    usual.start()
    until(lambda: is_over(job), 25, every=0.05)
    # This one is running, idle; the next message is lost, too.
    second = queue.enqueue(owner, factories.recipe(steps=1))
    lost = time.monotonic()
    until(lambda: is_over(second), 10, every=0.05)
    print(f"without a nudge, the clip was there after {time.monotonic() - lost:.1f} s")
    check_one_clip_each(usual.log)


@pytest.mark.services
def test_cancelling_stops_the_engine_within_two_seconds_and_frees_the_worker(workers, login):
    owner = factories.member()
    usual = workers()
    worker = usual.start()
    job = send(login, owner, prompt="slow card", steps="50")
    running = Attempt.objects.filter(job=job, stage="denoising")
    until(running.exists, 20)
    (engine,) = engine_children(worker.pid)
    clicked = time.monotonic()
    assert login(owner).post(reverse("job_cancellation", args=[job.pk])).status_code == 302
    until(lambda: not is_running(engine), 2)
    print(f"the engine's process was gone {time.monotonic() - clicked:.2f} s after the click")
    following = send(login, owner, steps="1")
    until(lambda: is_over(following), 10, every=0.05)
    job.refresh_from_db()
    following.refresh_from_db()
    assert (job.status, following.status, Clip.objects.count()) == ("cancelled", "succeeded", 1)
    assert not (storage.private().incoming / f"attempt-{running.get().pk}").exists()


def test_a_suspension_stops_the_running_take_within_two_seconds_and_cancels_the_waiting_ones(workers, login):
    owner, other = factories.member(), factories.member()
    usual = workers()
    worker = usual.start()
    jobs = [send(login, owner, prompt="slow card", steps="50") for _ in range(2)]
    until(Attempt.objects.filter(job=jobs[0], stage="denoising").exists, 20)
    theirs = send(login, other, steps="1")
    (engine,) = engine_children(worker.pid)
    exclusion.suspend(owner.membership, by=None, reason="For a reason.")
    committed = time.monotonic()
    until(lambda: not is_running(engine), 2)
    print(f"the engine's process was gone {time.monotonic() - committed:.2f} s after the suspension")
    until(lambda: all(is_over(job) for job in jobs), 5)
    for job in jobs:
        job.refresh_from_db()
        assert job.status == "cancelled"
    until(lambda: is_over(theirs), 20, every=0.05)
    theirs.refresh_from_db()
    assert (theirs.status, Clip.objects.count()) == ("succeeded", 1)
    check_files()


def test_a_pause_lets_the_running_take_finish_and_starts_no_other(workers, login):
    owner = factories.member()
    usual = workers()
    usual.start()
    running = send(login, owner, prompt="slow card", steps="3")
    until(Attempt.objects.filter(job=running).exists, 20)
    waiting = send(login, factories.member(), steps="1")
    pause.pause(by=None)
    until(lambda: is_over(running), 20, every=0.05)
    time.sleep(2.5)  # the worker looks for work each second
    waiting.refresh_from_db()
    assert waiting.status == "queued"
    pause.resume(by=None)
    until(lambda: is_over(waiting), 10, every=0.05)
    check_one_clip_each(usual.log)


@pytest.mark.services
def test_a_worker_asked_to_end_leaves_no_process_and_no_half_clip(workers, login):
    usual = workers()
    worker = usual.start()
    job = send(login, factories.member(), prompt="slow card", steps="6")
    until(Attempt.objects.filter(job=job, stage="denoising").exists, 20)
    left = descendants(worker.pid)
    worker.terminate()
    worker.wait(timeout=20)
    for pid in left:
        until(lambda pid=pid: not is_running(pid), 5)
    job.refresh_from_db()
    assert job.status == "succeeded"
    check_one_clip_each(usual.log)


# --- The broker of a laptop ---------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """A channel of its own over a folder of its own, as two workers would have."""
    names = ("data_folder_in", "data_folder_out", "control_folder")
    options = dict.fromkeys(names, str(tmp_path / "messages"))
    with Connection("filesystem://", transport_options=options) as broker:
        yield broker.default_channel


def test_half_a_message_is_a_lost_one_and_ends_no_worker(folder):
    """What a full disk or another program left in the broker's folder."""
    place = Path(folder.data_folder_in)
    for content in ("", '{"body": "ab'):
        (place / f"1_{len(content)}.engine.msg").write_text(content)
        with pytest.raises(Empty):
            folder._get("engine")
    (place / "engine.exchange").write_text('[["')
    folder._queue_bind("engine", "engine", "", "engine")
    assert [row.queue for row in folder.get_table("engine")] == ["engine"]
    folder._put("engine", {"body": "whole"})
    assert folder._get("engine") == {"body": "whole"}


def test_a_message_is_never_read_before_it_is_whole(folder):
    def put():
        for number in range(400):
            folder._put("engine", {"number": number})
            time.sleep(0.0005)

    writer, found = threading.Thread(target=put), []
    writer.start()
    while len(found) < 400 and (writer.is_alive() or folder._size("engine")):
        with suppress(Empty):
            found.append(folder._get("engine")["number"])
    writer.join()
    assert sorted(found) == list(range(400))
