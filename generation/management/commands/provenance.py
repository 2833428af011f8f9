"""`manage.py provenance keys|check`: the key with which workers sign where clips come from."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from generation import keys


class Command(BaseCommand):
    help = (
        "Makes the program's signing key with an anchor of its own (keys), or says whether it is fit (check)."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        acts = parser.add_subparsers(dest="act", required=True)
        making = acts.add_parser("keys", help="make a key; nothing is replaced unless you say so")
        making.add_argument("--name", help="the program's name, as readers of a clip will see it")
        making.add_argument(
            "--replace", action="store_true", help="there is a key: make another; earlier clips stay trusted"
        )
        making.add_argument(
            "--distrust-earlier",
            action="store_true",
            help="after a theft: drop the earlier anchors, so that what the old keys signed is trusted no longer",
        )
        acts.add_parser("check", help="say whether workers can sign with it")

    def handle(self, *, act, **options):
        try:
            self.make(**options) if act == "keys" else self.check()
        except keys.KeysUnfit as error:
            raise CommandError(str(error)) from None

    def make(self, *, name, replace, distrust_earlier, **options):
        name = (name or (keys.DEMO_NAME if settings.DEMO else "")).strip()
        if not name:
            raise CommandError('Say whose key it is: --name "The program\'s name".')
        if settings.C2PA_KEY and settings.C2PA_KEY.exists() and not replace:
            raise CommandError(f"There is a key: {settings.C2PA_KEY}. --replace makes another.")
        keys.make(name, keeps_earlier=not distrust_earlier)
        self.check()
        self.stdout.write(
            f"Key           {settings.C2PA_KEY} (for the workers that seal; keep a copy apart from the backups)\n"
            f"Certificates  {settings.C2PA_CERTIFICATES}\n"
            f"Anchors       {settings.C2PA_ANCHORS} (for everybody: {settings.SITE_URL}/verify/anchors.pem)"
        )

    def check(self):
        fit = keys.signing()
        self.stdout.write(f"Workers on this machine can sign, until {keys.expiry(fit):%Y-%m-%d}.")
