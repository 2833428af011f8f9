"""`manage.py invite`: prints an invitation's link; also how the first admin of an empty database comes in."""

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from accounts.models.invitation import NotInvitable, invite
from accounts.models.membership import Role


class Command(BaseCommand):
    help = "Creates an invitation and prints its link, which is shown only once."

    def add_arguments(self, parser):
        parser.add_argument("email")
        parser.add_argument("--role", choices=Role.values, required=True)
        parser.add_argument("--cohort", default="First cohort")

    def handle(self, *, email, role, cohort, **options):
        try:
            validate_email(email)
            if not cohort.strip() or len(cohort) > 80:
                raise CommandError("A cohort's name has 1 to 80 characters.")
            _, link = invite(email, role=role, cohort=cohort.strip(), by=None)
        except ValidationError:
            raise CommandError(f"{email!r} is not an e-mail address.") from None
        except NotInvitable as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(link)
