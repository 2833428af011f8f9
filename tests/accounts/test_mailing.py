"""Each invitation's mail is sent once: to a real server that refuses, hangs up or is away, by workers that die."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connections
from django.utils import timezone

from accounts import tasks
from accounts.inviting import mailing, plans, roster
from accounts.models import AuditEntry, Invitation, audit
from accounts.models.invitation import NotInvitable, accept, invite, renew, revoke
from tests import factories
from tests.generation.workers import PROJECT, database_url, until

from .mail_server import MailServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(settings):
    """A mail server, and the settings that lead to it."""
    running = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", running.port, 2
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield running
    running.end()


def invited(*emails, by, note="") -> list[Invitation]:
    list_ = roster.read("\n".join(emails), role="artist", cohort="Spring", note=note)
    return plans.invite_all(plans.plan(list_), by=by, lifetime=timedelta(days=14), batch=uuid.uuid4())


def state(invitation) -> str:
    invitation.refresh_from_db()
    return invitation.mail_state


def due_now() -> None:
    Invitation.objects.exclude(mail_due_at=None).update(mail_due_at=timezone.now())


def test_the_mail_brings_a_link_that_works_and_lies_nowhere(server, admin, client):
    (made,) = invited("ada@example.com", by=admin, note="Come soon.")
    before = made.key_hash
    assert mailing.send_due() is False
    (sent,) = server.taken
    assert sent["To"] == "ada@example.com"
    assert sent["Subject"] == f"{admin.name} invites you to sorahub"
    text = sent.get_body(("plain",)).get_content()
    page = sent.get_body(("html",)).get_content()
    path = re.search(r"http://testserver(/invitations/[\w-]+/)", text)[1]
    assert path in page
    assert "> Come soon." in text
    assert state(made) == "mailed"
    assert made.key_hash != before
    assert client.get(path).status_code == 200
    assert client.post(path, {"name": "Ada", "password": factories.PASSWORD}).status_code == 302


def test_one_connection_carries_many_mails(server, admin):
    invited(*(f"person{number}@example.com" for number in range(60)), by=admin)
    assert mailing.send_due() is False
    assert len(set(server.recipients())) == len(server.taken) == 60
    assert server.connections == 2


def test_what_is_sent_is_not_sent_again(server, admin):
    invited("ada@example.com", by=admin)
    for _time in range(3):
        mailing.send_due()
    assert server.recipients() == ["ada@example.com"]


def test_links_that_admins_pass_on_themselves_are_never_mailed(server):
    invite("byhand@example.com", role="artist", cohort="Spring", by=None)
    mailing.send_due()
    assert server.taken == []


def test_who_was_taken_back_has_expired_or_has_come_gets_no_mail(server, admin):
    back, late, came = invited("back@example.com", "late@example.com", "came@example.com", by=admin)
    revoke(next(one for one in (back, late, came) if one.email == "back@example.com"), by=admin)
    Invitation.objects.filter(email="late@example.com").update(expires_at=timezone.now())
    accept(Invitation.objects.get(email="came@example.com"), name="Came", password=factories.PASSWORD)
    mailing.send_due()
    assert server.taken == []


def test_a_refused_address_is_told_and_holds_nobody_up(server, admin):
    server.says = lambda verb, said: "550 5.1.1 No such user" if verb == "RCPT" and "gone@" in said else None
    gone, ada = invited("a-gone@example.com", "b-ada@example.com", by=admin)
    mailing.send_due()
    assert server.recipients() == ["b-ada@example.com"]
    assert (state(gone), state(ada)) == ("failed", "mailed")
    assert gone.mail_error == "The mail server refused it: 550 5.1.1 No such user"
    due_now()
    mailing.send_due()
    assert len(server.taken) == 1


def test_after_the_server_is_mended_all_refused_ones_are_tried_again_and_no_uncertain_one(server, admin):
    server.says = lambda verb, _said: "550 5.7.1 Not you" if verb == "RCPT" else None
    refused = invited("a@example.com", "b@example.com", by=admin)
    mailing.send_due()
    (uncertain,) = invited("c@example.com", by=admin)
    Invitation.objects.filter(pk=uncertain.pk).update(
        mail_due_at=None, mail_started_at=timezone.now() - timedelta(hours=1)
    )
    server.says = lambda _verb, _said: None
    assert mailing.try_refused_again(by=admin) == 2
    assert mailing.try_refused_again(by=admin) == 0
    mailing.send_due()
    assert sorted(server.recipients()) == ["a@example.com", "b@example.com"]
    assert {state(one) for one in refused} == {"mailed"}
    assert state(uncertain) == "unknown"
    assert AuditEntry.objects.filter(act="invitation.mail_retried", by=admin).count() == 2
    assert list(audit.broken_entries()) == []


@pytest.mark.parametrize(
    "verb, answer",
    [
        ("RCPT", "451 4.7.1 Greylisted"),
        ("DATA", "452 4.3.1 Full"),
        ("END OF DATA", "451 4.3.0 Later"),
        ("MAIL", "421 4.7.0 Too many"),
        ("MAIL", "530 5.7.0 Not from you"),  # it is us whom the server doesn't like, not the address
    ],
)
def test_a_no_for_now_is_tried_again_later_and_later(server, admin, verb, answer):
    server.says = lambda spoken, _said: answer if spoken == verb else None
    (made,) = invited("ada@example.com", by=admin)
    waits = []
    for _try in range(3):
        due_now()
        mailing.send_due()
        assert state(made) == "retrying"
        assert answer in made.mail_error
        waits.append(round((made.mail_due_at - timezone.now()).total_seconds() / 60))
    assert waits == [1, 2, 4]
    server.says = lambda _verb, _said: None
    due_now()
    mailing.send_due()
    assert server.recipients() == ["ada@example.com"]
    assert state(made) == "mailed"


def test_at_some_point_it_is_enough(server, admin):
    server.says = lambda verb, _said: "451 Later" if verb == "RCPT" else None
    (made,) = invited("ada@example.com", by=admin)
    for _try in range(mailing.MOST_TRIES):
        due_now()
        mailing.send_due()
    assert state(made) == "failed"


def test_a_server_that_is_away_costs_no_try_and_is_said(server, admin, settings):
    (made,) = invited("ada@example.com", by=admin)
    settings.EMAIL_PORT = 1  # nobody listens there
    assert mailing.send_due() is False
    assert state(made) == "retrying"
    assert (made.mail_tries, made.mail_started_at) == (0, None)
    assert "The mail server can't be reached (ConnectionRefusedError)." in made.mail_error
    assert made in Invitation.objects.in_state("trouble")
    settings.EMAIL_PORT = server.port
    mailing.send_due()
    assert state(made) == "mailed"
    assert made.mail_error == ""


@pytest.mark.parametrize("verb", ["RCPT", "DATA", "END OF DATA"])
def test_a_server_that_hangs_up_leaves_a_mail_that_only_a_person_sends_again(server, admin, verb):
    server.says = lambda spoken, _said: "hang up" if spoken == verb else None
    (lost,) = invited("lost@example.com", by=admin)
    mailing.send_due()
    server.says = lambda _verb, _said: None
    mailing.send_due()
    assert server.taken == []
    assert state(lost) == "sending"
    with pytest.raises(NotInvitable, match="just being sent"):
        renew(lost, by=admin, seen=lost.expires_at, by_mail=True)
    Invitation.objects.filter(pk=lost.pk).update(mail_started_at=timezone.now() - timedelta(minutes=6))
    assert state(lost) == "unknown"
    assert list(Invitation.objects.in_state("trouble")) == [lost]
    mailing.send_due()
    assert server.taken == []
    renew(lost, by=admin, seen=lost.expires_at, by_mail=True)
    mailing.send_due()
    assert server.recipients() == ["lost@example.com"]
    assert state(lost) == "mailed"


def test_a_renewed_invitation_s_earlier_link_is_dead(server, admin, client):
    (made,) = invited("ada@example.com", by=admin)
    mailing.send_due()
    made.refresh_from_db()
    seen = made.expires_at
    renew(made, by=admin, seen=seen, by_mail=True)
    with pytest.raises(NotInvitable, match="a moment ago"):
        renew(made, by=admin, seen=seen, by_mail=True)
    mailing.send_due()
    first, second = (
        re.search(r"http://testserver(/invitations/[\w-]+/)", sent.get_body(("plain",)).get_content())[1]
        for sent in server.taken
    )
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    assert list(audit.broken_entries()) == []


def test_no_log_line_holds_an_address_or_a_key(server, admin, caplog):
    server.says = lambda verb, _said: "hang up" if verb == "END OF DATA" else None
    invited("ada@example.com", by=admin)
    with caplog.at_level("DEBUG"):
        mailing.send_due()
    assert "lost the mail server" in caplog.text
    assert "ada@example.com" not in caplog.text
    assert "/invitations/" not in caplog.text


def test_the_task_passes_on_what_it_has_no_time_for(admin):
    invited("ada@example.com", "bob@example.com", by=admin)
    assert mailing.send_due(seconds=0) is True
    tasks.send_invitations()
    assert sorted(sent.to[0] for sent in mail.outbox) == ["ada@example.com", "bob@example.com"]


# --- Workers that die, and workers that meet -----------------------------------------------------------


SEND = "import django; django.setup(); from accounts.inviting import mailing; print(mailing.send_due())"


def worker(server) -> subprocess.Popen:
    """A process of its own that sends what is due, as a worker does, until it is killed or done."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "sorahub.settings",
        "DATABASE_URL": database_url(),
        "EMAIL_URL": server.url,
    }
    return subprocess.Popen(
        [sys.executable, "-c", SEND], cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True
    )


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_of_a_list_loses_nobody_and_mails_nobody_twice(server):
    admin = factories.member("admin")
    everybody = [f"person{number:02}@example.com" for number in range(12)]
    invited(*everybody, by=admin)
    reached, go_on = threading.Event(), threading.Event()

    def says(verb, _said):
        """The seventh mail is taken, but the server's yes comes too late: the worker is dead by then."""
        if verb == "END OF DATA" and len(server.taken) == 6 and not reached.is_set():
            reached.set()
            go_on.wait(20)

    server.says = says
    first = worker(server)
    assert reached.wait(30)
    first.send_signal(signal.SIGKILL)
    first.wait(10)
    go_on.set()
    until(lambda: len(server.taken) == 7, 10)
    second = worker(server)
    assert second.communicate(timeout=60)[0].strip() == "False"
    assert sorted(server.recipients()) == everybody
    uncertain = Invitation.objects.exclude(mail_started_at=None).filter(mailed_at=None)
    assert [one.email for one in uncertain] == [server.recipients()[6]]
    assert Invitation.objects.exclude(mailed_at=None).count() == 11


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_workers_that_meet_share_the_work(server):
    everybody = [f"person{number:02}@example.com" for number in range(40)]
    invited(*everybody, by=factories.member("admin"))
    server.says = lambda verb, _said: time.sleep(0.01) if verb == "RCPT" else None

    def send(_number):
        try:
            return mailing.send_due()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, range(4)))
    assert sorted(server.recipients()) == everybody
    assert Invitation.objects.exclude(mailed_at=None).count() == 40
