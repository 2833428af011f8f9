"""The index of seats gets the order in which claims read them: who never was served, then the longest ago."""

from django.conf import settings
from django.db import migrations, models
from django.db.models.lookups import IsNull


class Migration(migrations.Migration):
    dependencies = [
        ("generation", "0013_workers"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(model_name="seat", name="seat_least_recently_served"),
        migrations.AddIndex(
            model_name="seat",
            index=models.Index(
                IsNull(models.F("last_served_at"), False),
                models.F("last_served_at"),
                models.F("owner"),
                name="seat_in_turn",
            ),
        ),
    ]
