"""Credits as people wish them, and what visitors are warned of; the gate is raised over these and over all of 0019.

SQLite remakes both tables, and would drop their triggers on the way.
"""

from django.db import migrations, models

from review import triggers


class Migration(migrations.Migration):
    dependencies = [("review", "0023_consents_and_schedules")]

    operations = [
        migrations.RunPython(
            lambda _apps, editor: triggers.lower_gate(editor.connection),
            migrations.RunPython.noop,
        ),
        migrations.AddField(
            model_name='decision',
            name='warning_kinds',
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.AddField(
            model_name='decision',
            name='warning_line',
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name='submission',
            name='credit',
            field=models.CharField(blank=True, max_length=120),
        ),
        migrations.AddField(
            model_name='submission',
            name='credits',
            field=models.TextField(blank=True),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('outcome', 'approve'), models.Q(('warning_kinds', ''), ('warning_line', '')), _connector='OR'), name='refusal_warns_of_nothing'),
        ),
        triggers.raised(),
    ]
