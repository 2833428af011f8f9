"""The workers' way in: Celery carries nudges, and each worker also looks for work by itself."""

import logging
import logging.config
import os
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
    """Every few seconds, an idle worker asks the database whether a job waits: no lost message loses a job."""

    requires = {"celery.worker.components:Timer", "celery.worker.components:Pool"}

    def __init__(self, worker, **options):
        super().__init__(worker, **options)
        self.timer = None

    def start(self, worker):
        from django.conf import settings

        if "engine" in app.amqp.queues.consume_from:
            self.timer = worker.timer.call_repeatedly(settings.LOOK_EVERY, look_for_work)

    def stop(self, worker):
        if self.timer:
            self.timer.cancel()


def look_for_work() -> None:
    from django.db import connections

    from generation import queue, tasks

    try:
        queue.cancel_of_kept_out()
        if any(request.name == tasks.run_jobs.name for request in state.reserved_requests):
            return  # the one who works looks for more by itself
        if queue.is_waiting():
            tasks.run_jobs.apply_async(retry=False)
    except Exception as error:  # a database or broker that is away for a moment must not end the worker
        log.warning("could not look for work: %s", type(error).__name__)
    finally:
        connections.close_all()  # this process forks; its children must not share a connection


app.steps["worker"].add(LookForWork)
app.steps["worker"].add(deafness.Listen)
