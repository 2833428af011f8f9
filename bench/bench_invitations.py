"""How long it takes to try a list of 5,000 people dry, to invite them, and to write their mails; no mail server.

It goes through the pages, as an admin does: form in, page out, rows, audit chain and all. DATABASE_URL chooses the
database, which must be empty; without it, a SQLite file that is thrown away.
"""

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PLACE = tempfile.TemporaryDirectory(prefix="sorahub-bench-")
os.environ.setdefault("DATABASE_URL", f"sqlite:///{PLACE.name}/bench.sqlite3")
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "sorahub.settings",
    "SECRET_KEY": "only-for-benchmarks-0123456789abcdefghij",
    "SORAHUB_DEMO": "1",
    "SORAHUB_SITE_URL": "http://localhost",
    "BROKER_URL": f"filesystem://{PLACE.name}/broker",
    "CACHE_URL": f"filecache://{PLACE.name}/cache",
    "STORAGE_URL": f"file://{PLACE.name}/private",
    "PUBLIC_STORAGE_URL": f"file://{PLACE.name}/public",
    "EMAIL_URL": "dummymail://",  # takes every mail and drops it
}
PEOPLE = 5_000
ROOM = "/program/invitations/"
TERMS = {"role": "artist", "cohort": "Bench", "days": "14", "note": "Come and play."}


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from accounts.inviting import mailing
    from accounts.models import Invitation, audit

    call_command("migrate", verbosity=0)
    admin = logged_in_admin()
    people = "\n".join(f"Person {number} <person{number}@example.org>" for number in range(PEOPLE))
    form = TERMS | {"text": people, "form_key": "11111111-1111-4111-8111-111111111111"}
    dry, answer = timed(admin.post, f"{ROOM}many/", form)
    seen = re.search(r'name="seen" value="(\w+)"', answer.text)[1]
    invited, answer = timed(admin.post, f"{ROOM}batches/", form | {"seen": seen})
    made = Invitation.objects.filter(mail_due_at__isnull=False).count()
    if made != PEOPLE or answer.status_code != 302 or list(audit.broken_entries()):
        raise SystemExit(f"{made} people were invited, with status {answer.status_code}")
    listed, _answer = timed(admin.get, ROOM)
    mailed, _left = timed(mailing.send_due, seconds=20)
    sent = Invitation.objects.exclude(mailed_at=None).count()
    figures = {
        f"s to try {PEOPLE} people dry": dry,
        f"s to invite {PEOPLE} people": invited,
        f"ms for the list, with {PEOPLE} on it": 1000 * listed,
        "mails a second of one worker, without a server": sent / mailed,
    }
    print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


def logged_in_admin():
    from django.test import Client

    from accounts.models.invitation import accept, invite

    invitation, _link = invite("bench@example.com", role="admin", cohort="Bench", by=None)
    client = Client(headers={"host": "localhost"})
    client.force_login(
        accept(invitation, name="Bench", password="a-long-enough-password"),
        backend="accounts.backends.MemberBackend",
    )
    return client


def timed(act, *arguments, **keywords):
    started = time.perf_counter()
    done = act(*arguments, **keywords)
    return time.perf_counter() - started, done


if __name__ == "__main__":
    main()
