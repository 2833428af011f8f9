"""Raises the gate anew: flags, screenings and the records of rules about words stand behind it."""

from django.db import migrations

from review import triggers


class Migration(migrations.Migration):
    dependencies = [("review", "0027_turns_of_clocks"), ("generation", "0015_rules_about_words")]
    operations = [triggers.raised()]
