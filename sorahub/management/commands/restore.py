"""`manage.py restore FOLDER`: a backup onto an empty database; what was ended since is ended again before it serves."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from sorahub.backup import Refused, restoring


class Command(BaseCommand):
    help = "Restores a backup onto an empty database. Web, workers and beat must be stopped."

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="a backup, or a folder of backups: then its newest")
        parser.add_argument(
            "--force", action="store_true", help="accept files in the stores that it doesn't know"
        )
        parser.add_argument(
            "--without-journal",
            action="store_true",
            help="accept that clips taken down since are public again",
        )
        parser.add_argument(
            "--manifest", metavar="SHA256", help="restore without the SECRET_KEY that signed it"
        )

    def handle(self, *, folder, force, without_journal, manifest, **options):
        try:
            restoring.restore(
                folder, digest=manifest, force=force, without_journal=without_journal, say=self.stdout.write
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as error:
            raise CommandError(
                f"The restore broke off: {error}. Run it again; nothing is served yet."
            ) from None
        self.stdout.write("Restored. Members log in anew. Start web, workers and beat.")
        if without_journal:
            self.stdout.write(
                "No journal was replayed: clips taken down, members suspended and invitations taken back since the "
                "backup are as they were then. Look at each."
            )
