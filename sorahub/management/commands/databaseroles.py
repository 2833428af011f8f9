"""`manage.py databaseroles ROLE`: prints the SQL that gives the running program's database role its rights."""

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from sorahub import roles


class Command(BaseCommand):
    help = (
        "Prints the rights of the program's own role on PostgreSQL, for the owner of the tables to run: "
        "manage.py databaseroles sorahub_app | psql …. Run it after each migration and after a restore."
    )

    def add_arguments(self, parser):
        parser.add_argument("role", help="the role that web and workers log in as; it owns nothing")

    def handle(self, *, role, **options):
        if connection.vendor != "postgresql":
            raise CommandError("SQLite has no roles: whoever can write the file can do everything.")
        try:
            told = roles.statements(role)
        except roles.BadName as error:
            raise CommandError(str(error)) from None
        if role == connection.settings_dict["USER"]:
            raise CommandError(
                f"{role} is the role of this DATABASE_URL: name the program's, which owns nothing."
            )
        self.stdout.write("\n".join(f"{statement};" for statement in told))
