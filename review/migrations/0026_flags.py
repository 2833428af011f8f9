"""What machines noticed of a submission, and how each reviewer wants to be shown it."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('review', '0025_what_was_submitted_is_consented_to'),
    ]

    operations = [
        migrations.CreateModel(
            name='Comfort',
            fields=[
                ('reviewer', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='comfort', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('blurs', models.BooleanField(default=True)),
                ('grays', models.BooleanField(default=True)),
                ('mutes', models.BooleanField(default=True)),
                ('in_a_row', models.PositiveSmallIntegerField(default=5)),
            ],
        ),
        migrations.CreateModel(
            name='Screening',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kinds', models.CharField(blank=True, max_length=60)),
                ('failed', models.CharField(blank=True, max_length=60)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('submission', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='screening', to='review.submission')),
            ],
        ),
        migrations.CreateModel(
            name='Flag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('picture', 'Its picture'), ('words', 'Its words'), ('duplicate', 'Likeness to another clip')], max_length=16)),
                ('score', models.FloatField()),
                ('evidence', models.TextField()),
                ('said_by', models.CharField(max_length=40)),
                ('said_version', models.CharField(max_length=64)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('erased_at', models.DateTimeField(null=True)),
                ('submission', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='flags', to='review.submission')),
            ],
            options={
                'ordering': ['pk'],
                'indexes': [models.Index(fields=['at'], name='flag_by_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['picture', 'words', 'duplicate'])), name='flag_kind'), models.CheckConstraint(condition=models.Q(('score__gte', 0), ('score__lte', 1)), name='flag_score_is_a_share')],
            },
        ),
    ]
