"""Rules about words, whom they stopped, what was objected and what was answered."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0014_seats_in_turn'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RuleObjection',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('place', models.CharField(choices=[('prompt', 'Prompt'), ('negative_prompt', 'What to leave out'), ('title', 'Title'), ('statement', 'Statement')], max_length=16)),
                ('words', models.TextField()),
                ('digest', models.CharField(max_length=64)),
                ('text', models.TextField(max_length=2000)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('erased_at', models.DateTimeField(null=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='RuleAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_upheld', models.BooleanField()),
                ('text', models.TextField(max_length=2000)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('erased_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('objection', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='answer', to='generation.ruleobjection')),
            ],
        ),
        migrations.CreateModel(
            name='WordRule',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('family', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('version', models.PositiveSmallIntegerField(default=1)),
                ('name', models.CharField(max_length=80)),
                ('phrases', models.TextField()),
                ('looks_in', models.CharField(max_length=60)),
                ('does', models.CharField(choices=[('flag', 'Flags it for the reviewers'), ('block', 'Blocks it')], max_length=8)),
                ('sentence', models.CharField(blank=True, max_length=300)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='ruleobjection',
            name='rule',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='objections', to='generation.wordrule'),
        ),
        migrations.CreateModel(
            name='RuleEnd',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rule', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='end', to='generation.wordrule')),
            ],
        ),
        migrations.CreateModel(
            name='RuleBlock',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.CharField(choices=[('prompt', 'Prompt'), ('negative_prompt', 'What to leave out'), ('title', 'Title'), ('statement', 'Statement')], max_length=16)),
                ('job', models.UUIDField(null=True)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('rule', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='blocks_made', to='generation.wordrule')),
            ],
        ),
        migrations.AddConstraint(
            model_name='wordrule',
            constraint=models.UniqueConstraint(fields=('family', 'version'), name='word_rule_versions_count_up'),
        ),
        migrations.AddConstraint(
            model_name='wordrule',
            constraint=models.CheckConstraint(condition=models.Q(('does__in', ['flag', 'block'])), name='word_rule_does_what'),
        ),
        migrations.AddConstraint(
            model_name='wordrule',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('does', 'block'), _negated=True), models.Q(('sentence', ''), _negated=True), _connector='OR'), name='word_rule_that_blocks_says_why'),
        ),
        migrations.AddIndex(
            model_name='ruleobjection',
            index=models.Index(fields=['owner', '-at'], name='rule_objection_of_owner'),
        ),
        migrations.AddConstraint(
            model_name='ruleobjection',
            constraint=models.UniqueConstraint(fields=('owner', 'rule', 'digest'), name='rule_objected_to_once'),
        ),
        migrations.AddIndex(
            model_name='ruleblock',
            index=models.Index(condition=models.Q(('job__isnull', False)), fields=['job'], name='rule_block_of_job'),
        ),
        migrations.AddIndex(
            model_name='ruleblock',
            index=models.Index(fields=['at'], name='rule_block_by_time'),
        ),
    ]
