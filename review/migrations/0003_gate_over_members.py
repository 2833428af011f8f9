"""Raises the gate anew: records of suspensions, roles, pauses and the allowance stand behind it too."""

from django.db import migrations

from review import triggers


def raise_gate(apps, schema_editor):
    triggers.raise_gate(schema_editor.connection)


def lower_gate(apps, schema_editor):
    triggers.lower_gate(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_people_kept_and_paid"), ("review", "0002_raise_gate")]
    operations = [migrations.RunPython(raise_gate, lower_gate)]
