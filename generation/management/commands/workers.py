"""`manage.py workers`: who makes clips just now, what each can run, what it has warm, and what it is at."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from generation import workers


class Command(BaseCommand):
    help = "Lists the workers that are live, what each can run, which model it has warm, and what it is at."

    def handle(self, **options):
        rows = [("Worker", "Can run", "Warm", "At work on")]
        rows += [(each.name, ", ".join(each.runs), each.warm, _at(each)) for each in workers.shown()]
        if len(rows) == 1:
            self.stdout.write("No worker is live. Takes are accepted, and wait until one is.")
            return
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def _at(worker: workers.Shown) -> str:
    if worker.model is None:
        return ""
    return f"{worker.model}, for {(timezone.now() - worker.since).total_seconds():.0f} s"
