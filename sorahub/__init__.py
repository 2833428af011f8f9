"""An artist preview program with gated publishing: settings, URLs, and the processes' ways in."""

from .celery import app as celery_app

__all__ = ["celery_app"]
