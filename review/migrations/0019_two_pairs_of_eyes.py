"""What marks a submission as one that takes two people, and what each of them says."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0018_numbers_by_month'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Assessment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('approve', 'Approve'), ('refuse', 'Refuse')], max_length=16)),
                ('content_hash', models.CharField(max_length=64)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('policy_version', models.CharField(max_length=16)),
                ('reasons', models.CharField(blank=True, max_length=400)),
                ('note', models.TextField(blank=True)),
                ('warning_kinds', models.CharField(blank=True, max_length=80)),
                ('warning_line', models.CharField(blank=True, max_length=120)),
                ('said_of_frames', models.TextField(blank=True)),
                ('erased_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submission', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assessments', to='review.submission')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('submission', 'by'), name='assessed_once_by_a_person'), models.CheckConstraint(condition=models.Q(('outcome__in', ['approve', 'refuse'])), name='assessment_outcome'), models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'approve'), ('reasons', '')), models.Q(('outcome', 'refuse'), models.Q(('reasons', ''), _negated=True), models.Q(models.Q(('note', ''), _negated=True), ('erased_at__isnull', False), _connector='OR')), _connector='OR'), name='assessed_with_reasons_as_a_refusal')],
            },
        ),
        migrations.CreateModel(
            name='Sensitivity',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('sensitive', 'Sensitive: every decision takes two people'), ('criticism', 'Criticizes the program or its host: refusing it takes two people')], max_length=16)),
                ('source', models.CharField(choices=[('reviewer', 'a reviewer'), ('rule', 'a rule'), ('machine', 'a machine flag')], max_length=16)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('why', models.TextField(max_length=300)),
                ('erased_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submission', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sensitivities', to='review.submission')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('submission', 'kind', 'source'), name='marked_once_by_a_source'), models.CheckConstraint(condition=models.Q(('kind__in', ['sensitive', 'criticism'])), name='sensitivity_kind'), models.CheckConstraint(condition=models.Q(models.Q(('by__isnull', False), ('source', 'reviewer')), models.Q(('by', None), ('source__in', ['rule', 'machine'])), _connector='OR'), name='sensitivity_by_a_reviewer_or_by_nobody')],
            },
        ),
    ]
