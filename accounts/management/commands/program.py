"""`manage.py program status|pause|resume`: the kill switch, for whoever sits at the machine."""

from django.core.management.base import BaseCommand, CommandError

from accounts.models import pause


class Command(BaseCommand):
    help = "Says whether the program is paused, pauses it (no job is accepted or started), or lets it go on."

    def add_arguments(self, parser):
        parser.add_argument("act", choices=["status", "pause", "resume"])
        parser.add_argument("--reason", default="", help="with pause: a sentence that members read")

    def handle(self, *, act, reason, **options):
        if reason and act != "pause":
            raise CommandError("Only a pause has a reason.")
        if act == "pause" and pause.current():
            self.stdout.write("It was paused already; that pause and its reason stay.")
        elif act == "pause":
            pause.pause(by=None, reason=reason)
        elif act == "resume" and not pause.resume(by=None):
            self.stdout.write("It wasn't paused.")
        self.stdout.write(self._status())

    def _status(self) -> str:
        found = pause.current()
        if found is None:
            return "The program runs: jobs are accepted and started."
        by = found.by.name if found.by else "the operator"
        reason = f" Members read: {found.reason}" if found.reason else ""
        return f"The program is paused since {found.at:%Y-%m-%d %H:%M} UTC, by {by}.{reason}"
