"""The workers' way in: Celery carries nudges, and each worker also looks for work by itself."""

import logging
import logging.config
import os
from collections.abc import Callable
from contextlib import ExitStack

from celery import Celery, bootsteps, signals
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
        self.timers = []

    def start(self, worker):
        from django.conf import settings

        looks = [look for name, look in LOOKS.items() if name in app.amqp.queues.consume_from]
        self.timers = [worker.timer.call_repeatedly(settings.LOOK_EVERY, look) for look in looks]

    def stop(self, worker):
        for timer in self.timers:
            timer.cancel()


def look_for_jobs() -> None:
    from generation import queue, tasks

    def is_waiting() -> bool:
        queue.cancel_of_kept_out()
        return queue.is_waiting()

    _look(is_waiting, tasks.run_jobs)


def look_for_makings() -> None:
    from review import leases, tasks

    _look(leases.is_waiting, tasks.make_files)


def _look(is_waiting: Callable[[], bool], task) -> None:
    from django.db import connections

    try:
        is_at_it = any(request.name == task.name for request in state.reserved_requests)
        if is_waiting() and not is_at_it:  # the one who works looks for more by itself
            task.apply_async(retry=False)
    except Exception as error:  # a database or broker that is away for a moment must not end the worker
        log.warning("could not look for work: %s", type(error).__name__)
    finally:
        connections.close_all()  # this process forks; its children must not share a connection


LOOKS = {"engine": look_for_jobs, "desk": look_for_makings}  # by the queue that a worker serves

app.steps["worker"].add(LookForWork)
app.steps["worker"].add(deafness.Listen)
