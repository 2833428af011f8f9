"""Raises the gate anew: passes and recusals stand behind it, and a recused person's decision does not pass it."""

from django.db import migrations

from review import triggers


def raise_gate(apps, schema_editor):
    triggers.raise_gate(schema_editor.connection)


def lower_gate(apps, schema_editor):
    triggers.lower_gate(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("review", "0004_passes_and_recusals")]
    operations = [migrations.RunPython(raise_gate, lower_gate)]
