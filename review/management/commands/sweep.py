"""`manage.py sweep`: what the scheduled sweep does, now."""

from django.core.management.base import BaseCommand

from review import sweep


class Command(BaseCommand):
    help = "Deletes files that no row names, and puts back what live publications miss."

    def add_arguments(self, parser):
        parser.add_argument(
            "--grace", type=float, default=sweep.GRACE, help="seconds a file may lie without a row"
        )

    def handle(self, *, grace, **options):
        swept = sweep.sweep(grace=grace)
        self.stdout.write(
            f"{swept.orphans} orphans deleted, {swept.mended} publications mended, {swept.missing} files missing."
        )
