"""`manage.py tidy`: what the daily tidying does, now."""

from django.core.management.base import BaseCommand

from sorahub.tidying import tidy


class Command(BaseCommand):
    help = "Deletes ended sessions, expired confirmations, old notices and pictures never sent. Records of acts stay."

    def handle(self, **options):
        done = tidy()
        self.stdout.write(
            f"{done.sessions} sessions, {done.devices} lines of sessions, {done.confirmations} confirmations, "
            f"{done.notices} notices, {done.pictures} unsent pictures and {done.copies} staff copies deleted."
        )
