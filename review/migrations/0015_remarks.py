"""What a reviewer says of frames, as part of their decision; the gate is raised anew over both.

The new column is null in older decisions, so SQLite adds it without remaking the table: no trigger is lost on the way.
"""

import django.db.models.deletion
from django.db import migrations, models

from review import triggers


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0014_indexes_of_the_desk'),
    ]

    operations = [
        migrations.AddField(
            model_name='decision',
            name='remark_count',
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.CreateModel(
            name='Remark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('first_frame', models.PositiveIntegerField()),
                ('last_frame', models.PositiveIntegerField()),
                ('text', models.CharField(max_length=500)),
                ('drawing', models.CharField(blank=True, max_length=1445)),
                ('erased_at', models.DateTimeField(null=True)),
                ('decision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='remarks', to='review.decision')),
            ],
            options={
                'ordering': ['number'],
                'constraints': [models.UniqueConstraint(fields=('decision', 'number'), name='remark_numbers_count_up'), models.CheckConstraint(condition=models.Q(('number__range', (1, 20))), name='remark_is_one_of_few'), models.CheckConstraint(condition=models.Q(('first_frame__gte', 1), ('last_frame__gte', models.F('first_frame'))), name='remark_frames_in_order'), models.CheckConstraint(condition=models.Q(models.Q(('text', ''), _negated=True), ('erased_at__isnull', False), _connector='OR'), name='remark_says_something')],
            },
        ),
        triggers.raised(),
    ]
