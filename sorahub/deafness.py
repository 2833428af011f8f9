"""Ends a worker whose pool hears nothing any more, so that whoever keeps it running starts another.

A pool's processes share locks around the pipes by which work comes and results go. One that is killed while it holds
such a lock, as an idle one always does, takes it along: the process in its place waits for ever, and so does the exit.
(Brokers with an event loop give each process pipes of its own; the file system broker has none.)
"""

import logging
import os
import threading
import time

from celery import bootsteps
from celery.signals import worker_shutdown
from celery.worker import state

LISTEN_EVERY = 1.0  # seconds
DEAF_AFTER = 10.0  # seconds with something to do, and nobody who takes it; healthy pools need milliseconds
LEAVE_WITHIN = 5.0  # seconds for an exit once all work is done

log = logging.getLogger(__name__)


class Listen(bootsteps.StartStopStep):
    requires = {"celery.worker.components:Timer", "celery.worker.components:Pool"}

    def __init__(self, worker, **options):
        super().__init__(worker, **options)
        self.timer, self.heard = None, time.monotonic()

    def start(self, worker):
        self.timer = worker.timer.call_repeatedly(LISTEN_EVERY, self.listen)

    def stop(self, worker):
        if self.timer:
            self.timer.cancel()

    def listen(self) -> None:
        if state.active_requests or not state.reserved_requests:
            self.heard = time.monotonic()
        elif time.monotonic() - self.heard > DEAF_AFTER:
            log.error("the pool takes no work any more: this worker ends, and a new one can take its place")
            os._exit(1)  # a usual exit would wait for the lock


@worker_shutdown.connect
def _leave(**_signal) -> None:
    """By now all work is done; what could still wait is the pool's clean-up, for a lock that nobody can give back."""
    exit_anyway = threading.Timer(LEAVE_WITHIN, os._exit, [0])
    exit_anyway.daemon = True
    exit_anyway.start()
