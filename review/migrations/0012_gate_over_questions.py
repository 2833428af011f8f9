"""Raises the gate anew: questions, replies and milestones stand behind it. What waits already gets its clock."""

from django.conf import settings
from django.db import migrations

from review import triggers

BATCH = 1000


def start_clocks(apps, _editor):
    """Until now the promise began with the artist's click, and for these it stays so."""
    submissions, clocks = apps.get_model("review", "Submission"), apps.get_model("review", "Clock")
    waiting = submissions.objects.exclude(content_hash=None).filter(withdrawal=None, decision=None, clock=None)
    allowed = settings.REVIEW_DEADLINE
    made = [
        clocks(
            submission=each,
            started_at=each.created_at,
            allowed=allowed,
            due_at=each.created_at + allowed,
            rings_at=each.created_at + allowed / 2,
        )
        for each in waiting.only("created_at").iterator(chunk_size=BATCH)
    ]
    clocks.objects.bulk_create(made, batch_size=BATCH)


class Migration(migrations.Migration):
    dependencies = [("review", "0011_clocks_and_questions")]
    # The gate first: PostgreSQL changes no table's triggers while checks of new rows are pending.
    operations = [triggers.raised(), migrations.RunPython(start_clocks, migrations.RunPython.noop)]
