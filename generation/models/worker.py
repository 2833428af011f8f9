"""A process that makes clips: what it can run, and which model its engine holds. It decides nothing."""

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone


class WorkerQuerySet(models.QuerySet):
    def live(self):
        return self.filter(live_until__gt=Now())


class Worker(models.Model):
    """One process of a Celery worker's pool, with one engine. Its Attempts carry its name.

    Live until a moment on the database's clock, which the process above it puts off at each look for work. A worker
    that ends leaves its row to grow old: one that is only started anew was never gone.
    """

    name = models.CharField(max_length=120, unique=True)  # host and process
    runs = models.JSONField(default=list)  # ids of the models that it takes on
    warm = models.CharField(max_length=64, blank=True, default="")  # the model in its engine, if there is one
    started_at = models.DateTimeField(default=timezone.now)
    live_until = models.DateTimeField()

    objects = WorkerQuerySet.as_manager()

    def __str__(self):
        return f"Worker {self.name}"
