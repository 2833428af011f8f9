"""`manage.py transparency`: counts the public numbers again from the records, and prints them as the CSV has them."""

from django.core.management.base import BaseCommand, CommandError

from accounts.spreadsheet import csv_lines
from review import numbers
from review.models import Month


class Command(BaseCommand):
    help = "Counts /transparency/'s numbers from the records: one month's, or all of them."

    def add_arguments(self, parser):
        parser.add_argument("--month", help="as 2026-11; without it, every month")
        parser.add_argument(
            "--keep", action="store_true", help="what is kept of months that are over, is replaced"
        )

    def handle(self, *, month, keep, **options):
        try:
            asked = [month] if month else numbers.months()[::-1]
            counted = [numbers.count(each) for each in asked]
        except ValueError:
            raise CommandError(f"{month!r} is no month: write it as 2026-11.") from None
        clauses = numbers.every_clause()
        rows = [numbers.row(numbers.told(each), clauses) for each in counted]
        for line in csv_lines(numbers.head(clauses), rows):
            self.stdout.write(line, ending="")
        for figures in counted:
            self._compare(figures, keep)

    def _compare(self, figures: dict, keep: bool) -> None:
        """A restore can bring takedowns into a month that was counted already: that is said, and mended if asked."""
        kept = Month.objects.filter(name=figures["month"], edition=numbers.EDITION).first()
        if kept is None or kept.figures == figures:
            return
        if keep:
            numbers.keep(figures["month"])
        self.stderr.write(
            f"{figures['month']}: other numbers than these were kept on {kept.counted_at:%Y-%m-%d}"
            + (", and are replaced now." if keep else "; --keep replaces them.")
        )
