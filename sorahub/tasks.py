"""What Celery carries for the whole house: the daily tidying."""

from celery import shared_task

from .tidying import tidy as tidying


@shared_task
def tidy() -> None:
    tidying()
