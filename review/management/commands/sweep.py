"""`manage.py sweep`: what the scheduled sweep does, now."""

from django.core.management.base import BaseCommand

from review import sweep


class Command(BaseCommand):
    help = "Deletes files that no row names, and puts back what live publications miss."

    def add_arguments(self, parser):
        parser.add_argument(
            "--grace", type=float, default=sweep.GRACE, help="seconds a file may lie without a row"
        )
        parser.add_argument("--reread", action="store_true", help="read every public file again, too")

    def handle(self, *, grace, reread, **options):
        swept = sweep.sweep(grace=grace, reread=reread)
        self.stdout.write(
            f"{swept.orphans} orphans deleted, {swept.mended} publications mended, "
            f"{swept.broken} that could not be, {swept.missing} files missing."
        )
