"""The admins' list of invitations, and what they do with one: what is shown, and what a late click meets."""

import re
import smtplib
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Invitation
from accounts.models.invitation import accept, invite
from accounts.views.invitations import PAGE
from tests import factories

pytestmark = pytest.mark.django_db

LIST = "/program/invitations/"


@pytest.fixture
def desk(login, admin):
    return login(admin)


def invited(email, by=None, role="artist", cohort="Spring", **changes) -> Invitation:
    made, _link = invite(email, role=role, cohort=cohort, by=by)
    Invitation.objects.filter(pk=made.pk).update(**changes)
    made.refresh_from_db()
    return made


def shown(client, **asked) -> list[str]:
    return [one.email for one in client.get(LIST, asked).context["invitations"]]


def test_the_list_says_who_invited_whom_and_when_they_came(desk, admin):
    came = invited("ada@example.com", by=admin)
    accept(came, name="Ada Painter", password=factories.PASSWORD)
    invited("bob@example.com", by=admin)
    page = desk.get(LIST).text
    today = timezone.localtime().strftime("%-d %b %Y")
    assert page.count(f"Invited on {today} by {admin.name}") == 2
    assert f"Came on {today} as Ada Painter" in page


def test_the_list_is_searched_and_narrowed(desk, admin):
    now = timezone.now()
    accept(invited("came@a.org"), name="Ada Painter", password=factories.PASSWORD)
    invited("open@a.org", role="reviewer", cohort="Autumn", mailed_at=now)
    invited("waits@a.org", mail_due_at=now)
    invited("refused@a.org", mail_error="550 No")
    invited("lost@a.org", mail_started_at=now - timedelta(hours=1))
    invited("sending@a.org", mail_started_at=now)
    invited("late@a.org", expires_at=now)
    invited("back@a.org", revoked_at=now)
    assert sorted(shown(desk, q="A.ORG", state="open")) == [
        "lost@a.org",
        "open@a.org",
        "refused@a.org",
        "sending@a.org",
        "waits@a.org",
    ]
    assert shown(desk, q="a.org", state="to-mail") == ["waits@a.org"]
    assert sorted(shown(desk, q="a.org", state="trouble")) == ["lost@a.org", "refused@a.org"]
    assert shown(desk, q="a.org", state="accepted") == ["came@a.org"]
    assert shown(desk, q="a.org", state="expired") == ["late@a.org"]
    assert shown(desk, q="a.org", state="revoked") == ["back@a.org"]
    assert shown(desk, q="a.org", role="reviewer") == ["open@a.org"]
    assert shown(desk, cohort="Autumn") == ["open@a.org"]
    assert shown(desk, q="painter") == ["came@a.org"]
    assert shown(desk, q="%") == []


@pytest.mark.parametrize(
    "asked",
    [{"state": "x\0"}, {"q": "\0"}, {"batch": "x"}, {"after": "\0"}, {"role": "king"}, {"cohort": "\0"}],
)
def test_a_question_that_makes_no_sense_is_no_error(desk, asked):
    assert desk.get(LIST, asked).status_code == 200


def test_the_pages_go_on_by_key_while_others_invite(desk, admin):
    for number in range(PAGE + 10):
        invited(f"person{number:03}@example.com", by=admin)
    first = desk.get(LIST, {"q": "person"})
    seen = [one.email for one in first.context["invitations"]]
    invited("person999@example.com", by=admin)
    second = desk.get(f"{LIST}{first.context['older']}")
    seen += [one.email for one in second.context["invitations"]]
    assert seen == [f"person{number:03}@example.com" for number in reversed(range(PAGE + 10))]
    assert second.context["older"] is None
    assert second.context["newest"] == "?q=person"


def test_people_of_one_list_come_by_their_address(desk, admin):
    now = timezone.now()
    for name in "cab":
        invited(f"{name}@example.com", by=admin, created_at=now)
    assert shown(desk)[:3] == ["a@example.com", "b@example.com", "c@example.com"]


def test_the_list_costs_the_same_with_1_and_with_50_invitations(desk, admin):
    invited("ada@example.com", by=admin)

    def cost() -> int:
        desk.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(LIST).status_code == 200
        return len(queries)

    one = cost()
    assert one <= 5
    for number in range(49):
        made = invited(f"person{number}@example.com", by=factories.member("admin"), cohort=f"Cohort {number}")
        if number % 2:
            accept(made, name=f"Person {number}", password=factories.PASSWORD)
    assert cost() == one


# --- One invitation ---


def act(client, invitation, what, **changes):
    seen = re.search(r'name="seen" value="([^"]+)"', client.get(f"{LIST}{invitation.pk}/").text)
    data = {"seen": seen[1] if seen else ""}
    return client.post(f"{LIST}{invitation.pk}/{what}/", data | changes, follow=True)


def test_a_second_click_on_mail_it_again_does_nothing_twice(desk, admin):
    made = invited("ada@example.com", by=admin, mailed_at=timezone.now())
    seen = made.expires_at.isoformat()
    first, second = act(desk, made, "mail", seen=seen), act(desk, made, "mail", seen=seen)
    assert "A mail with a new link is on its way." in first.text
    assert "This invitation was renewed a moment ago. Once is enough." in second.text
    assert AuditEntry.objects.filter(act="invitation.renewed", by=admin).count() == 1


def test_a_new_link_is_shown_once_and_ends_the_earlier_one(desk, admin, client):
    made, link = invite("ada@example.com", role="artist", cohort="Spring", by=admin)
    answer = act(desk, made, "link")
    new = re.search(r"http://testserver(/invitations/[\w-]+/)", answer.text)[1]
    assert client.get(link.removeprefix("http://testserver")).status_code == 404
    assert client.get(new).status_code == 200
    assert new not in desk.get(f"{LIST}{made.pk}/").text


def test_an_expired_invitation_comes_to_life_with_a_new_link(desk, admin):
    made = invited("ada@example.com", by=admin, expires_at=timezone.now() - timedelta(days=1))
    assert act(desk, made, "mail").status_code == 200
    made.refresh_from_db()
    assert (made.state, made.mail_state) == ("open", "waiting")


def test_an_invitation_taken_back_is_dead_at_once_and_stays_so(desk, admin, client):
    made, link = invite("ada@example.com", role="artist", cohort="Spring", by=admin)
    for _click in range(2):
        assert "is taken back" in act(desk, made, "revocation").text
    assert client.get(link.removeprefix("http://testserver")).status_code == 410
    assert AuditEntry.objects.filter(act="invitation.revoked").count() == 1
    assert "was taken back. Write a new one" in act(desk, made, "mail", seen=made.expires_at.isoformat()).text
    made.refresh_from_db()
    assert (made.state, made.revoked_by) == ("revoked", admin)
    assert "What you can do" not in desk.get(f"{LIST}{made.pk}/").text


def test_who_has_come_in_meanwhile_is_not_taken_back_and_not_mailed(desk, admin):
    made = invited("ada@example.com", by=admin)
    accept(made, name="Ada", password=factories.PASSWORD)
    seen = made.expires_at.isoformat()
    assert "already used" in act(desk, made, "mail", seen=seen).text
    assert "already used" in act(desk, made, "link", seen=seen).text
    assert "already used" in act(desk, made, "revocation").text
    made.refresh_from_db()
    assert made.state == "accepted"


@pytest.mark.parametrize("seen", ["", "soon", "\0", "2026-11-24"])
def test_a_click_from_nowhere_changes_nothing(desk, admin, seen):
    made = invited("ada@example.com", by=admin)
    assert act(desk, made, "mail", seen=seen).status_code == 200
    assert Invitation.objects.get(pk=made.pk).key_hash == made.key_hash


# --- The test mail ---


def test_a_test_shows_the_admin_what_people_get_and_makes_no_invitation(desk, admin):
    before = Invitation.objects.count()
    assert f"A test is on its way to {admin.email}." in desk.post(f"{LIST}test-mail/", follow=True).text
    (sent,) = mail.outbox
    assert sent.to == [admin.email]
    assert "Its link leads nowhere." in sent.body
    assert Invitation.objects.count() == before


def test_a_test_that_fails_says_why(desk, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with pytest.raises(OSError, match="refused"):
        smtplib.SMTP("127.0.0.1", 1)
    assert "The test could not be sent:" in desk.post(f"{LIST}test-mail/", follow=True).text


def test_the_console_is_no_mail_and_the_page_says_so(desk, settings, capsys):
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    assert "printed by the web server" in desk.post(f"{LIST}test-mail/", follow=True).text
    assert "Its link leads nowhere." in capsys.readouterr().out


def test_nobody_has_us_write_without_end(desk):
    statuses = [desk.post(f"{LIST}test-mail/").status_code for _time in range(6)]
    assert statuses == [302] * 5 + [429]


# --- The holder's page ---


def test_tries_at_an_invitation_are_counted_by_address_and_by_link(client):
    _made, link = invite("ada@example.com", role="artist", cohort="Spring", by=None)
    path = link.removeprefix("http://testserver")
    statuses = [client.post(path, {"name": "Ada", "password": "short"}).status_code for _try in range(11)]
    assert statuses == [422] * 10 + [429]
    assert client.get(path).status_code == 200
    others = [client.post(f"/invitations/guess{number}/").status_code for number in range(60)]
    assert others.count(404) == 49
    assert others[-1] == 429


def test_behind_a_proxy_each_visitor_has_tries_of_their_own(client, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def post(visitor):
        headers = {"X-Forwarded-For": f"10.9.9.9, {visitor}"}  # the first is whatever the visitor claims
        return client.post("/invitations/guess/", headers=headers).status_code

    for number in range(60):
        client.post(f"/invitations/guess{number}/", headers={"X-Forwarded-For": "10.9.9.9, 10.0.0.1"})
    assert post("10.0.0.1") == 429
    assert post("10.0.0.2") == 404
