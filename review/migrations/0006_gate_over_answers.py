"""Raises the gate anew: answers to objections stand behind it too."""

from django.db import migrations

from review import triggers


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_answers_and_lookups"), ("review", "0005_gate_over_recusals")]
    operations = [triggers.raised()]
