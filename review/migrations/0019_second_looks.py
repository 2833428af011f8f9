"""Second looks at decisions, behind the gate from the beginning."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

from review import triggers


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0018_numbers_by_month'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SecondLook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('outcome', models.CharField(choices=[('approve', 'Approve'), ('refuse', 'Refuse')], max_length=16)),
                ('policy_version', models.CharField(max_length=16)),
                ('reasons', models.CharField(blank=True, max_length=400)),
                ('note', models.TextField(blank=True)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('erased_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('decision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='second_look', to='review.decision')),
            ],
            options={
                'indexes': [models.Index(fields=['at'], name='second_look_by_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('outcome', 'approve'), ('reasons', '')), models.Q(('outcome', 'refuse'), models.Q(('reasons', ''), _negated=True)), _connector='OR'), name='second_look_refuses_for_reasons')],
            },
        ),
        triggers.raised(),
    ]
