"""Raises the gate anew: records of suspensions, roles, pauses and the allowance stand behind it too."""

from django.db import migrations

from review import triggers


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_people_kept_and_paid"), ("review", "0002_raise_gate")]
    operations = [triggers.raised()]
