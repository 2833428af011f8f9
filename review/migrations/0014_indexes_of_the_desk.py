"""The desk finds what waits for an answer, and what a reviewer decided last, by an index."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('review', '0013_claims_handed_over'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddIndex(
            model_name='clock',
            index=models.Index(condition=models.Q(('paused_at__isnull', False), ('stopped_at', None)), fields=['due_at', 'submission'], name='clock_paused_by_deadline'),
        ),
        migrations.AddIndex(
            model_name='decision',
            index=models.Index(fields=['by', '-at'], name='decision_newest_of_reviewer'),
        ),
    ]
