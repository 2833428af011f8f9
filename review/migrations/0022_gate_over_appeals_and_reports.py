"""Raises the gate anew: appeals, what is said in them and how they end stand behind it, and reports with their answers."""

from django.db import migrations

from review import triggers


class Migration(migrations.Migration):
    dependencies = [("review", "0021_appeals_and_reports")]
    operations = [triggers.raised()]
