"""Raises the gate anew: marks stand behind it, and nothing is sealed without its files or after its withdrawal."""

from django.db import migrations

from review import triggers


class Migration(migrations.Migration):
    dependencies = [("generation", "0006_marks"), ("review", "0006_gate_over_answers")]
    operations = [triggers.raised()]
