"""`manage.py tidy`: what the daily tidying does, now."""

from django.core.management.base import BaseCommand

from sorahub.tidying import tidy


class Command(BaseCommand):
    help = "Deletes ended sessions, expired confirmations and old notices. Records of what people did stay."

    def handle(self, **options):
        done = tidy()
        self.stdout.write(
            f"{done.sessions} sessions, {done.devices} lines of sessions, {done.confirmations} confirmations "
            f"and {done.notices} notices deleted."
        )
