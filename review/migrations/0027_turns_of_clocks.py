"""The desk goes by when a clip's turn comes: its deadline, or some hours earlier for what a machine has flagged.

What waits already keeps its place. SQLite remakes the clocks' table, which has no trigger and is named by none.
"""

from django.db import migrations, models
from django.db.models import F


def by_deadline(apps, _editor):
    apps.get_model("review", "Clock").objects.filter(turn_at=None).update(turn_at=F("due_at"))


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0026_flags'),
    ]

    operations = [
        migrations.RemoveIndex(model_name='clock', name='clock_running_by_deadline'),
        migrations.RemoveIndex(model_name='clock', name='clock_paused_by_deadline'),
        migrations.AddField(model_name='clock', name='is_flagged', field=models.BooleanField(default=False)),
        migrations.AddField(model_name='clock', name='turn_at', field=models.DateTimeField(null=True)),
        migrations.RunPython(by_deadline, migrations.RunPython.noop),
        migrations.AlterField(model_name='clock', name='turn_at', field=models.DateTimeField()),
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(condition=models.Q(('paused_at', None), ('stopped_at', None)), fields=['turn_at', 'submission'], name='clock_running_in_turn'),
        ),
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(condition=models.Q(('is_flagged', True), ('paused_at', None), ('stopped_at', None)), fields=['turn_at', 'submission'], name='clock_flagged_in_turn'),
        ),
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(condition=models.Q(('paused_at__isnull', False), ('stopped_at', None)), fields=['turn_at', 'submission'], name='clock_paused_in_turn'),
        ),
    ]
