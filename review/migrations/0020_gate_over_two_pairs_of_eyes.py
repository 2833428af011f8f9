"""Raises the gate anew: marks and assessments stand behind it, and no decision that takes two people is made by one."""

from django.db import migrations

from review import triggers


class Migration(migrations.Migration):
    dependencies = [("review", "0019_two_pairs_of_eyes")]
    operations = [triggers.raised()]
