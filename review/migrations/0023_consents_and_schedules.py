"""What artists allow, take back and set for later, and the pages under which the public finds them. No other table is touched."""

import django.db.models.deletion
import django.utils.timezone
import review.models.publication
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0022_gate_over_appeals_and_reports'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ArtistPage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('credit', models.CharField(max_length=120)),
                ('slug', models.CharField(default=review.models.publication.random_slug, max_length=12, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('use', models.CharField(choices=[('gallery', 'Gallery'), ('press', 'Press'), ('social', 'Social media'), ('contest', 'Contests'), ('training', 'Training of models'), ('tools', 'Tests of tools')], max_length=16)),
                ('number', models.PositiveSmallIntegerField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='ConsentedUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.TextField(max_length=300)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('erased_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Revocation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='Schedule',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('number', models.PositiveSmallIntegerField()),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('publish_at', models.DateTimeField()),
                ('zone', models.CharField(max_length=64)),
            ],
        ),
        migrations.CreateModel(
            name='ScheduleEnd',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('published', 'It went public.'), ('called-off', 'Called off by its artist.'), ('undecided', 'No reviewer had approved it by then.'), ('refused', 'A reviewer had refused it.'), ('withdrawn', 'You had withdrawn it.'), ('taken-down', 'It had been taken down.'), ('revoked', 'You had revoked your consent to the gallery.'), ('kept-out', 'Your membership was suspended, or had ended.'), ('changed', 'It was no longer what a reviewer had approved.')], max_length=16)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.AddField(
            model_name='artistpage',
            name='artist',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pages', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='consent',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='consent',
            name='submission',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='consents', to='review.submission'),
        ),
        migrations.AddField(
            model_name='consenteduse',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='consenteduse',
            name='consent',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uses', to='review.consent'),
        ),
        migrations.AddField(
            model_name='revocation',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='revocation',
            name='consent',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='revocation', to='review.consent'),
        ),
        migrations.AddField(
            model_name='schedule',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='schedule',
            name='submission',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='schedules', to='review.submission'),
        ),
        migrations.AddField(
            model_name='scheduleend',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='scheduleend',
            name='schedule',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='end', to='review.schedule'),
        ),
        migrations.AddConstraint(
            model_name='artistpage',
            constraint=models.UniqueConstraint(fields=('artist', 'credit'), name='artist_page_one_for_each_credit'),
        ),
        migrations.AddIndex(
            model_name='consent',
            index=models.Index(fields=['use', '-at', '-id'], name='consent_newest_of_use'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.UniqueConstraint(fields=('submission', 'use', 'number'), name='consents_count_up'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.CheckConstraint(condition=models.Q(('use__in', ['gallery', 'press', 'social', 'contest', 'training', 'tools'])), name='consent_to_a_known_use'),
        ),
        migrations.AddIndex(
            model_name='consenteduse',
            index=models.Index(fields=['-at', '-id'], name='consented_use_newest'),
        ),
        migrations.AddIndex(
            model_name='schedule',
            index=models.Index(fields=['publish_at', 'id'], name='schedule_by_time'),
        ),
        migrations.AddConstraint(
            model_name='schedule',
            constraint=models.UniqueConstraint(fields=('submission', 'number'), name='schedules_count_up'),
        ),
        migrations.AddConstraint(
            model_name='scheduleend',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['published', 'called-off', 'undecided', 'refused', 'withdrawn', 'taken-down', 'revoked', 'kept-out', 'changed'])), name='schedule_ends_in_a_known_way'),
        ),
    ]
