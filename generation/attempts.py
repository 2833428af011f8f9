"""Carries one attempt from its claim to a stored clip: the worker's side, between the queue and the engine's child."""

import logging
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_lazy

from accounts import trail

from . import pictures, queue, rules, storage, workers
from .engine import Recipe, process
from .models import Attempt, Rendition

log = logging.getLogger(__name__)

RENEW_EVERY = 1.0  # seconds between two writes of lease and progress, and between two previews
SCRATCH_PREFIX = "attempt-"
DISK_RESERVE = 512 * 1024 * 1024  # bytes that must be free before a job is claimed
PICTURE_IS_GONE = gettext_lazy("The picture that this take begins with is gone. Choose one again.")

_engine: process.EngineProcess | None = None  # one warm child for each worker process


class Lost(Exception):
    """The attempt is no longer this worker's: cancelled, or its lease lapsed."""


def work(worker: str) -> int:
    """Claims and carries out jobs until none is left for it; returns how many it took on."""
    taken = 0
    clear_scratch()
    talk = workers.Talk(worker)

    def claim() -> Attempt | None:
        leaves = talk.warm_elsewhere(engine().model)
        return queue.claim_next(worker, runs=workers.runs(), leaves=leaves)

    while _has_room_on_disk():
        attempt = claim() or (_tidy_queue() and claim())
        if not attempt:
            break
        taken += 1
        job = attempt.job
        talk.tell(job.model)
        with trail.following(request=job.request_id, user=job.owner_id, job=job.pk, attempt=attempt.number):
            log.info("attempt begins")
            carry_out(attempt)
        talk.tell(engine().model)
        _tidy_queue()  # each time: a long queue must not keep a dead worker's job from its next try
    return taken


def _tidy_queue() -> int:
    """Returns how many jobs wait again whose worker fell silent. Not before a first claim: somebody waits for that."""
    queue.cancel_of_kept_out()
    return queue.put_back_lapsed()


def carry_out(attempt: Attempt) -> None:
    """Ends the attempt in every case: with a clip, with a sentence, or by leaving it to whoever took it over."""
    scratch = storage.scratch() / f"{SCRATCH_PREFIX}{attempt.pk}"
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        done = _generate(attempt, scratch)
        if isinstance(done, process.Failed):
            queue.give_up(attempt, retry=done.retry, sentence=done.sentence, detail=done.detail)
            log.warning("attempt failed")  # its detail lies in the Attempt's row
        else:
            _store(attempt, done)
            log.info("attempt made its clip")
    except Lost:
        log.info("attempt %s of job %s is over; its work was stopped", attempt.number, attempt.job_id)
    except Exception as error:  # whatever it was, the job must not hang until its lease lapses
        log.exception("attempt %s of job %s failed", attempt.number, attempt.job_id)
        queue.give_up(attempt, retry=True, detail=type(error).__name__)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _generate(attempt: Attempt, scratch: Path) -> process.Done | process.Failed:
    """Follows the engine's events, renewing the lease on the way. Leaving the loop ends the engine's work."""
    if stopped := rules.stop(attempt.job):
        return process.Failed(stopped, retry=False, detail="a rule that came after the job")
    stage, step, written = Attempt.Stage.LOADING, 0, time.monotonic()
    preview, shown = None, float("-inf")
    try:
        recipe, image = _with_image(attempt.job.recipe, scratch)
    except FileNotFoundError:
        return process.Failed(PICTURE_IS_GONE, retry=False, detail="not in the private store")
    with closing(engine().run(recipe, scratch, image)) as events:
        for event in events:
            before = stage
            match event:
                case process.Step(step=step):
                    stage = Attempt.Stage.DENOISING
                case process.Preview(jpeg=preview):
                    pass
                case process.Encoding():
                    stage = Attempt.Stage.ENCODING
                case process.Done() | process.Failed():
                    return event
            now = time.monotonic()
            is_new = preview is not None and now - shown >= RENEW_EVERY
            if stage != before or is_new or now - written >= RENEW_EVERY:
                _hold(attempt, stage, step, preview if is_new else None)
                written = time.monotonic()
                preview, shown = (None, written) if is_new else (preview, shown)
    return process.Failed(sentence="", retry=True, detail="the engine ended without a word")


def _with_image(recipe: Recipe, scratch: Path) -> tuple[Recipe, Path | None]:
    """The recipe as the engine wants it: it names a copy, on this machine, of the picture in the clip's size.

    The store may be a bucket, and the picture was kept as its artist brought it, for takes of whatever size.
    """
    if not recipe.image:
        return recipe, None
    copy = scratch / "image"
    with open(copy, "wb") as out:
        out.writelines(storage.private().blocks(storage.private_name(recipe.image)))
    fitted = pictures.fitted(copy, width=recipe.width, height=recipe.height)
    return replace(recipe, image=storage.digest_of(fitted)), fitted


def _store(attempt: Attempt, done: process.Done) -> None:
    """Files first, rows second: a crash between the two leaves files that the sweep finds, never rows without."""
    _hold(attempt, Attempt.Stage.STORING, attempt.job.steps)
    made = (
        (Rendition.Kind.VIDEO, done.video),
        (Rendition.Kind.POSTER, done.poster),
        (Rendition.Kind.SPRITE, done.sprite),
        (Rendition.Kind.AV1, done.av1),
    )
    kinds, paths = zip(*((kind, path) for kind, path in made if path), strict=True)
    with ThreadPoolExecutor(len(paths)) as hands:  # each waits for the disk or the bucket: they wait together
        kept = list(hands.map(storage.keep, paths))
    files = [queue.Stored(kind, *told) for kind, told in zip(kinds, kept, strict=True)]
    made = {name: done.info[name] for name in ("width", "height", "frames", "fps")}
    recipe = {
        **attempt.job.recipe.to_json(),
        "revision": done.info["model_revision"],
        "versions": done.info["versions"],
    }
    if not queue.finish(attempt, recipe=recipe, files=files, **made):
        raise Lost


def _hold(attempt: Attempt, stage: str, step: int, preview: bytes | None = None) -> None:
    if not queue.renew(attempt, stage=stage, step=step, preview=preview):
        raise Lost


def clear_scratch() -> None:
    """Removes what attempts left behind that were killed on this machine: nobody else would find it."""
    left = {
        int(folder.name.removeprefix(SCRATCH_PREFIX)): folder
        for folder in storage.scratch().glob(f"{SCRATCH_PREFIX}*")
        if folder.name.removeprefix(SCRATCH_PREFIX).isdecimal()
    }
    if left:
        running = set(Attempt.objects.filter(pk__in=left, ended_at=None).values_list("pk", flat=True))
        for attempt, folder in left.items():
            if attempt not in running:
                shutil.rmtree(folder, ignore_errors=True)


def _has_room_on_disk() -> bool:
    """On the machine for what is in the making, and in the store for what comes of it."""
    try:
        free = min(storage.private().free_bytes(), _free_scratch())
    except OSError as error:
        log.error("the private store doesn't answer (%s): no job is claimed", type(error).__name__)
        return False
    if free < DISK_RESERVE:
        log.error("only %d MB are free in the private store: no job is claimed", free // 2**20)
    return free >= DISK_RESERVE


def _free_scratch() -> int:
    storage.scratch().mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(storage.scratch()).free


def engine() -> process.EngineProcess:
    global _engine
    if _engine is None:
        _engine = process.EngineProcess(av1=settings.AV1)
    return _engine


def close_engine() -> None:
    global _engine
    if _engine is not None:
        _engine.close()
        _engine = None
