"""The workers' way in: Celery carries nudges, and each worker also looks for work by itself."""

import logging
import logging.config
import os
from collections.abc import Callable
from contextlib import ExitStack, contextmanager

from celery import Celery, bootsteps, signals
from celery.utils.nodenames import worker_direct
from celery.worker import state

from . import broker, deafness

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sorahub.settings")
broker.install()
app = Celery("sorahub")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

log = logging.getLogger(__name__)


# --- What a message carries besides its nudge: the id of the request that sent it -------------------


@signals.before_task_publish.connect
def _send_trail(headers=None, **_signal) -> None:
    from accounts import trail

    if asked := trail.request_id():
        headers["request_id"] = asked


@signals.task_prerun.connect
def _take_up_trail(task=None, **_signal) -> None:
    from accounts import trail

    task.request.trail = ExitStack()
    task.request.trail.enter_context(
        trail.following(request=getattr(task.request, "request_id", None), task=task.name)
    )


@signals.task_postrun.connect
def _leave_trail(task=None, **_signal) -> None:
    if left := getattr(task.request, "trail", None):
        left.close()


@signals.setup_logging.connect
def _log_as_settings_say(loglevel=None, **_signal) -> None:
    """Celery's own set-up would write its lines in another form, some of them twice."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
    logging.getLogger().setLevel(loglevel or logging.INFO)


# --- Looking for work by oneself --------------------------------------------------------------------


class LookForWork(bootsteps.StartStopStep):
    """Every few seconds, an idle worker asks the database whether something waits: no lost message loses a job."""

    requires = {"celery.worker.components:Timer", "celery.worker.components:Pool"}

    def __init__(self, worker, **options):
        super().__init__(worker, **options)
        self.timers, self.looks = [], []

    def start(self, worker):
        from django.conf import settings

        self.looks = [look for name, look in LOOKS.items() if name in app.amqp.queues.consume_from]
        for look in self.looks:
            worker.timer.call_after(0, look, (worker,))
        self.timers = [
            worker.timer.call_repeatedly(settings.LOOK_EVERY, look, (worker,)) for look in self.looks
        ]

    def stop(self, worker):
        for timer in self.timers:
            timer.cancel()
        if look_for_jobs in self.looks:
            leave(worker)


def leave(worker) -> None:
    from generation import workers

    with _asking():
        workers.left(_names(worker))


def look_for_jobs(worker) -> None:
    from generation import queue, tasks, workers

    def is_waiting() -> bool:
        workers.seen(_names(worker))
        queue.cancel_of_kept_out()
        return queue.is_waiting(workers.runs())

    _look(worker, is_waiting, tasks.run_jobs)


def look_for_makings(worker) -> None:
    from review import leases, tasks

    _look(worker, leases.is_waiting, tasks.make_files)


def _look(worker, is_waiting: Callable[[], bool], task) -> None:
    with _asking():
        is_at_it = any(request.name == task.name for request in state.reserved_requests)
        if is_waiting() and not is_at_it:  # the one who works looks for more by itself
            # To itself: what it can run, another one who heard it may not.
            task.apply_async(retry=False, queue=worker_direct(worker.hostname))


@contextmanager
def _asking():
    from django.db import connections

    try:
        yield
    except Exception as error:  # a database or broker that is away for a moment must not end the worker
        log.warning("could not look for work: %s", type(error).__name__)
    finally:
        connections.close_all()  # this process forks; its children must not share a connection


def _names(worker) -> list[str]:
    """Of the processes in which its tasks run: those of a pool, or the one that is all of the worker."""
    from generation import workers

    return [workers.name_of(pid) for pid in worker.pool.info.get("processes") or [os.getpid()]]


LOOKS = {"engine": look_for_jobs, "desk": look_for_makings}  # by the queue that a worker serves

app.steps["worker"].add(LookForWork)
app.steps["worker"].add(deafness.Listen)
