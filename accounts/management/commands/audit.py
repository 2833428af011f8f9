"""`manage.py audit verify`: walks the audit chain and names the first entry that was touched."""

from django.core.management.base import BaseCommand, CommandError

from accounts.models import AuditEntry
from accounts.models.audit import broken_entries


class Command(BaseCommand):
    help = "Checks the audit chain; exits with 1 and the first broken entry if it was touched."

    def add_arguments(self, parser):
        parser.add_argument("act", choices=["verify"])

    def handle(self, **options):
        for sequence, what in broken_entries():
            raise CommandError(f"Audit entry {sequence} {what}.")
        self.stdout.write(f"The audit chain is whole: {AuditEntry.objects.count()} entries.")
