"""What /transparency/ counts: finished months are kept, and what people did is found by when they did it."""

import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0017_gate_over_the_policy'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    # Indexes only: no table is remade, so on SQLite, too, the gate stays up.
    operations = [
        migrations.CreateModel(
            name='Month',
            fields=[
                ('name', models.CharField(max_length=7, primary_key=True, serialize=False)),
                ('edition', models.PositiveSmallIntegerField()),
                ('figures', models.JSONField()),
                ('counted_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.AddIndex(
            model_name='decision',
            index=models.Index(fields=['at'], name='decision_by_time'),
        ),
        migrations.AddIndex(
            model_name='takedown',
            index=models.Index(fields=['at'], name='takedown_by_time'),
        ),
        migrations.AddIndex(
            model_name='withdrawal',
            index=models.Index(fields=['at'], name='withdrawal_by_time'),
        ),
    ]
