"""Raises the gate anew: answers to objections stand behind it too."""

from django.db import migrations

from review import triggers


def raise_gate(apps, schema_editor):
    triggers.raise_gate(schema_editor.connection)


def lower_gate(apps, schema_editor):
    triggers.lower_gate(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_answers_and_lookups"), ("review", "0005_gate_over_recusals")]
    operations = [migrations.RunPython(raise_gate, lower_gate)]
