"""A lookup keeps what was seen of a mark that nobody could read without knowing the numbers that exist."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("review", "0009_preparations_and_copies")]
    # SQLite remakes the table. It has no trigger of the gate, and none names it, so the gate stays up.
    operations = [
        migrations.AddField(model_name="lookup", name="trace", field=models.BinaryField(default=b"")),
    ]
