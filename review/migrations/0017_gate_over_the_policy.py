"""Raises the gate anew: the policy's versions stand behind it, and no decision cites a clause that isn't in its version."""

from django.db import migrations

from review import triggers


class Migration(migrations.Migration):
    dependencies = [("review", "0016_policy_versions")]
    operations = [triggers.raised()]
