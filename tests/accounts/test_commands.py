"""The commands by which an operator lets people in: links that work, and sentences for what doesn't."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, Cohort, Invitation, User
from tests.factories import PASSWORD

PROJECT = Path(__file__).resolve().parents[2]


def invite(*arguments) -> str:
    said = io.StringIO()
    call_command("invite", *arguments, stdout=said)
    return said.getvalue().strip()


@pytest.mark.django_db
def test_the_first_admin_of_an_empty_database_comes_in_by_the_printed_link(client):
    link = invite("admin@example.com", "--role", "admin")
    assert link.startswith("http://testserver/invitations/")
    path = link.removeprefix("http://testserver")
    assert client.get(path).status_code == 200
    assert client.post(path, {"name": "Root", "password": PASSWORD}).status_code == 302
    user = User.objects.get()
    assert (user.membership.role, user.membership.cohort.name) == ("admin", "First cohort")
    assert client.get("/studio/").status_code == 200
    assert list(AuditEntry.objects.values_list("act", "by")) == [
        ("invitation.created", None),
        ("invitation.accepted", user.pk),
    ]


@pytest.mark.django_db
def test_the_cohort_is_the_one_that_was_named():
    invite("one@example.com", "--role", "artist", "--cohort", "  Spring 2027 ")
    invite("two@example.com", "--role", "reviewer", "--cohort", "Spring 2027")
    assert list(Cohort.objects.values_list("name", flat=True)) == ["Spring 2027"]
    assert list(Invitation.objects.order_by("email").values_list("role", flat=True)) == ["artist", "reviewer"]


LONG = "x" * 60


@pytest.mark.django_db
@pytest.mark.parametrize(
    "arguments, said",
    [
        (("nonsense", "--role", "artist"), "'nonsense' is not an e-mail address."),
        (("", "--role", "artist"), "'' is not an e-mail address."),
        (("a b@example.com", "--role", "artist"), "is not an e-mail address."),
        ((f"{LONG}@{LONG}.{LONG}.{LONG}.{LONG}.com", "--role", "artist"), "is not an e-mail address."),
        (("a@example.com", "--role", "artist", "--cohort", " "), "A cohort's name has 1 to 80 characters"),
        (
            ("a@example.com", "--role", "artist", "--cohort", "x" * 81),
            "A cohort's name has 1 to 80 characters",
        ),
        (("a@example.com", "--role", "artist", "--cohort", "a\nb"), "A cohort's name has 1 to 80 characters"),
        (
            ("a@example.com", "--role", "artist", "--cohort", "a\udcffb"),
            "A cohort's name has 1 to 80 characters",
        ),
        (("a@example.com", "--role", "king"), "invalid choice: 'king'"),
        (("a@example.com",), "Say --role artist|reviewer|lead|admin."),
        ((), "the following arguments are required: email"),
    ],
)
def test_a_bad_argument_gets_a_sentence_and_makes_nothing(arguments, said):
    with pytest.raises(CommandError) as refusal:
        invite(*arguments)
    assert said in str(refusal.value)
    assert not Invitation.objects.exists()
    assert not Cohort.objects.exists()


@pytest.mark.django_db
def test_a_member_can_not_be_invited_again(artist):
    with pytest.raises(CommandError, match=f"{artist.email} is already a member"):
        invite(artist.email, "--role", "admin")


@pytest.mark.django_db
def test_the_audit_command_knows_one_act():
    with pytest.raises(CommandError, match="invalid choice"):
        call_command("audit", "mend")


def manage(*arguments, **environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        (sys.executable, "manage.py", *arguments),
        cwd=PROJECT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "sorahub.settings"} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_database_without_tables_gets_a_sentence_and_no_traceback(tmp_path):
    done = manage(
        "invite", "a@example.com", "--role", "admin", DATABASE_URL=f"sqlite:///{tmp_path}/new.sqlite3"
    )
    assert done.returncode == 1
    assert "The database isn't ready." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_touched_chain_ends_the_command_with_status_one(artist):
    from django.db import connection

    from review import triggers
    from tests.generation.workers import database_url

    url = database_url()
    triggers.lower_gate()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_auditentry SET act = 'other' WHERE sequence = 2")
    triggers.raise_gate()
    touched = manage("audit", "verify", DATABASE_URL=url)
    assert (touched.returncode, touched.stdout) == (1, "")
    assert touched.stderr == "CommandError: Audit entry 2 was changed.\n"


def test_invitations_can_be_taken_back(capsys, db, client):
    call_command("invite", "someone@example.com", "--role", "artist")
    link = capsys.readouterr().out.strip()
    call_command("invite", "Someone@example.com", "--revoke")
    assert "Taken back: 1" in capsys.readouterr().out
    assert client.get(link.removeprefix("http://testserver")).status_code == 410
