"""Raises the gate: from here on the database itself refuses what the gate refuses."""

from django.db import migrations

from review import triggers


def raise_gate(apps, schema_editor):
    triggers.raise_gate(schema_editor.connection)


def lower_gate(apps, schema_editor):
    triggers.lower_gate(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("review", "0001_initial")]
    operations = [migrations.RunPython(raise_gate, lower_gate)]
