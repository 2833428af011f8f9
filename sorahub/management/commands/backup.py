"""`manage.py backup FOLDER`: the database and all files into a folder; `--verify` reads a backup again."""

import os
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from sorahub.backup import Refused, making
from sorahub.backup import manifest as manifests

INCOMPLETE = 3  # the exit status of a backup that was made of a house with files missing


class Command(BaseCommand):
    help = (
        "Backs up the database and both stores. Exits with 1 if no backup was made or a verified one isn't whole, "
        "and with 3 if files that rows name were missing in the stores."
    )

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path, help="a folder for backups, outside of the stores")
        parser.add_argument(
            "--verify", action="store_true", help="read the newest backup there (or this one)"
        )
        parser.add_argument("--keep", type=int, help="then delete all but this many of the newest backups")
        parser.add_argument(
            "--manifest", metavar="SHA256", help="verify without the SECRET_KEY that signed it"
        )

    def handle(self, *, folder, verify, keep, manifest, **options):
        os.umask(0o077)  # it holds everybody's addresses and everything that was never published
        if keep is not None and keep < 1:
            raise CommandError("--keep must be 1 or more.")
        try:
            return self.verify(folder, manifest) if verify else self.make(folder, keep)
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as error:
            raise CommandError(
                f"The backup broke off: {error}. Run it again: what was copied stays."
            ) from None

    def make(self, folder: Path, keep: int | None):
        made = making.make(folder, say=self.stdout.write)
        self.stdout.write(f"{made.folder} holds {made.files} files, {made.copied} of them new.")
        self.stdout.write(f"Its manifest's sha256 is {made.digest}.")
        if keep:
            self.stdout.write(f"{making.prune(folder, keep)} older backups deleted.")
        if made.missing:
            raise CommandError(
                f"{len(made.missing)} files that rows name are missing or damaged in the stores, the first "
                f"{made.missing[0][:12]}…; the backup is made without them.",
                returncode=INCOMPLETE,
            )

    def verify(self, folder: Path, digest: str | None):
        found = manifests.find(folder)
        told = manifests.read(found, digest=digest)
        for sentence in (problems := list(manifests.problems(found, told))):
            self.stderr.write(sentence)
        if problems:
            raise CommandError(f"{found.name} is not whole: {len(problems)} problems.")
        self.stdout.write(f"{found.name} is whole: its database and {len(told.private)} files.")
