"""Appeals with their threads and their ends, reports with their answers, and who holds either at the desk."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0020_gate_over_two_pairs_of_eyes'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Appeal',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_at', models.DateTimeField()),
                ('text', models.TextField(max_length=4000)),
                ('erased_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('refusal', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='appeal', to='review.decision')),
                ('submission', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='appeal', to='review.submission')),
                ('takedown', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='appeal', to='review.takedown')),
            ],
        ),
        migrations.CreateModel(
            name='AppealMessage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('text', models.TextField(max_length=4000)),
                ('erased_at', models.DateTimeField(null=True)),
                ('appeal', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='review.appeal')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Dismissal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('note', models.TextField(max_length=4000)),
                ('erased_at', models.DateTimeField(null=True)),
                ('appeal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='dismissal', to='review.appeal')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Inquiry',
            fields=[
                ('held_until', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('publication', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='inquiry', serialize=False, to='review.publication')),
                ('opened_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('holder', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('reason', models.CharField(max_length=19)),
                ('text', models.TextField(blank=True, max_length=2000)),
                ('email', models.EmailField(blank=True, max_length=254)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('erased_at', models.DateTimeField(null=True)),
                ('publication', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='review.publication')),
            ],
        ),
        migrations.CreateModel(
            name='ReportAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('last_number', models.PositiveIntegerField()),
                ('outcome', models.CharField(choices=[('kept', 'It stays'), ('taken-down', 'It is taken down')], max_length=16)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('note', models.TextField(max_length=2000)),
                ('erased_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('publication', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='report_answers', to='review.publication')),
            ],
        ),
        migrations.CreateModel(
            name='Upholding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('appeal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='upholding', to='review.appeal')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submission', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='upholding', to='review.submission')),
            ],
        ),
        migrations.CreateModel(
            name='Hearing',
            fields=[
                ('held_until', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('appeal', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='hearing', serialize=False, to='review.appeal')),
                ('due_at', models.DateTimeField()),
                ('rings_at', models.DateTimeField(null=True)),
                ('holder', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddIndex(
            model_name='appeal',
            index=models.Index(fields=['at'], name='appeal_by_time'),
        ),
        migrations.AddConstraint(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('refusal__isnull', False), ('takedown', None)), models.Q(('refusal', None), ('takedown__isnull', False)), _connector='OR'), name='appeal_is_against_one_act'),
        ),
        migrations.AddIndex(
            model_name='dismissal',
            index=models.Index(fields=['at'], name='dismissal_by_time'),
        ),
        migrations.AddIndex(
            model_name='inquiry',
            index=models.Index(condition=models.Q(('closed_at', None)), fields=['opened_at', 'publication'], name='inquiry_open'),
        ),
        migrations.AddIndex(
            model_name='report',
            index=models.Index(fields=['at'], name='report_by_time'),
        ),
        migrations.AddConstraint(
            model_name='report',
            constraint=models.UniqueConstraint(fields=('publication', 'number'), name='reports_count_up'),
        ),
        migrations.AddConstraint(
            model_name='reportanswer',
            constraint=models.UniqueConstraint(fields=('publication', 'last_number'), name='reports_answered_once'),
        ),
        migrations.AddConstraint(
            model_name='reportanswer',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['kept', 'taken-down'])), name='report_answer_outcome'),
        ),
        migrations.AddIndex(
            model_name='hearing',
            index=models.Index(condition=models.Q(('closed_at', None)), fields=['due_at', 'appeal'], name='hearing_open'),
        ),
        migrations.AddIndex(
            model_name='hearing',
            index=models.Index(condition=models.Q(('closed_at', None)), fields=['rings_at'], name='hearing_rings_next'),
        ),
    ]
