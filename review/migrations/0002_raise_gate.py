"""Raises the gate: from here on the database itself refuses what the gate refuses."""

from django.db import migrations

from review import triggers


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial"), ("review", "0001_initial")]
    operations = [triggers.raised()]
