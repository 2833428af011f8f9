"""Raises the gate anew: passes and recusals stand behind it, and a recused person's decision does not pass it."""

from django.db import migrations

from review import triggers


class Migration(migrations.Migration):
    dependencies = [("review", "0004_passes_and_recusals")]
    operations = [triggers.raised()]
