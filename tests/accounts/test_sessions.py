"""Where one is logged in: a list in words, an end to one session or to all others, and what ends them by itself."""

import time
from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import whereabouts
from accounts.models import AuditEntry
from tests import factories

from .factors import log_in

pytestmark = pytest.mark.django_db

PAGE = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1"


def browser(user, user_agent=FIREFOX, ip="192.0.2.1") -> Client:
    client = Client(headers={"User-Agent": user_agent}, REMOTE_ADDR=ip)
    assert log_in(client, user).status_code == 302
    return client


def listed(client) -> list[tuple[str, str, bool]]:
    sessions = client.get(PAGE).context["sessions"]
    return [(session.device, session.ip, session.is_this) for session in sessions]


def handle_of(client, device: str) -> str:
    (found,) = [session for session in client.get(PAGE).context["sessions"] if session.device == device]
    return found.handle


def is_in(client) -> bool:
    return client.get("/studio/").status_code == 200


def test_the_list_says_where_in_words(artist):
    phone = browser(artist, PHONE, "198.51.100.7")
    here = browser(artist)
    factories.member()
    browser(factories.member(), ip="203.0.113.9")  # nobody else's is on it
    assert listed(here) == [
        ("Firefox on Linux", "192.0.2.1", True),
        ("Safari on iPhone", "198.51.100.7", False),
    ]
    assert [is_this for _device, _ip, is_this in listed(phone)] == [False, True]


@pytest.mark.parametrize(
    "user_agent, words",
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/140.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19.0 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("curl/8.5.0", "An unknown browser"),
        ("", "An unknown browser"),
    ],
)
def test_a_browser_is_called_by_its_name(user_agent, words):
    assert whereabouts.device(user_agent) == words


def test_one_session_is_ended_and_no_other(artist):
    here, phone, third = browser(artist), browser(artist, PHONE), browser(artist, "")
    answer = here.post(PAGE, {"session": handle_of(here, "Safari on iPhone")}, follow=True)
    assert "That session has ended." in answer.text
    assert not is_in(phone)
    assert is_in(here)
    assert is_in(third)
    assert AuditEntry.objects.latest("sequence").act == "account.session_ended"


def test_ended_twice_it_is_said_and_nothing_else_ends(artist):
    here, _phone = browser(artist), browser(artist, PHONE)
    handle = handle_of(here, "Safari on iPhone")
    here.post(PAGE, {"session": handle})
    assert "had ended already" in here.post(PAGE, {"session": handle}, follow=True).text
    for nonsense in ("", "\0", "1", "x" * 5000, "é"):
        assert "had ended already" in here.post(PAGE, {"session": nonsense}, follow=True).text
    assert is_in(here)


def test_nobody_ends_a_stranger_s_session(artist):
    other = browser(factories.member(), PHONE)
    here = browser(artist)
    here.post(PAGE, {"session": handle_of(other, "Safari on iPhone")})
    here.post(PAGE, {"session": "others"})
    assert is_in(other)


def test_all_others_end_and_this_one_stays(artist, login):
    phone = browser(artist, PHONE)
    unlisted = login(artist)  # as from a time when no list was kept
    here = browser(artist)
    assert is_in(unlisted)
    answer = here.post(PAGE, {"session": "others"}, follow=True)
    assert "You are logged in nowhere else now." in answer.text
    assert listed(here) == [("Firefox on Linux", "192.0.2.1", True)]
    assert is_in(here)
    assert not is_in(phone)
    assert not is_in(unlisted)


def test_a_new_password_ends_all_others_and_says_so_by_mail(artist):
    phone, here = browser(artist, PHONE), browser(artist)
    new = {
        "oldpassword": factories.PASSWORD,
        "password1": "another-long-one",
        "password2": "another-long-one",
    }
    answer = here.post("/accounts/password/change/", new, follow=True)
    assert "You are logged out everywhere else." in answer.text
    assert not is_in(phone)
    assert listed(here) == [("Firefox on Linux", "192.0.2.1", True)]
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == ([artist.email], "Your password was changed")
    assert "192.0.2.1" in letter.body
    assert "another-long-one" not in letter.body
    assert AuditEntry.objects.latest("sequence").act == "account.password_changed"


def test_last_seen_moves_every_few_minutes_and_costs_nothing_between(artist, django_assert_num_queries):
    here = browser(artist)
    is_in(here)
    before = UserSession.objects.get().last_seen_at
    with django_assert_num_queries(2):
        here.get("/standing/")
    session = here.session
    session["seen_at"] = time.time() - whereabouts.SEEN_EVERY - 1
    session.save()
    is_in(here)
    assert UserSession.objects.get().last_seen_at > before
    assert here.session["seen_at"] > time.time() - 60


@pytest.mark.parametrize("count", [1, 40])
def test_the_list_costs_the_same_with_many(artist, count, django_assert_num_queries):
    here = browser(artist)
    for number in range(count):
        browser(artist, ip=f"192.0.2.{number + 10}")
    with django_assert_num_queries(4):
        assert len(here.get(PAGE).context["sessions"]) == count + 1


def test_sessions_that_are_over_are_forgotten(artist):
    here, phone = browser(artist), browser(artist, PHONE)
    Session.objects.filter(session_key=phone.session.session_key).update(
        expire_date=timezone.now() - timedelta(days=1)
    )
    assert listed(here) == [("Firefox on Linux", "192.0.2.1", True)]
    assert UserSession.objects.count() == 1


def test_one_member_holds_no_more_than_so_many(artist, monkeypatch):
    monkeypatch.setattr(whereabouts, "MOST", 3)
    first, *rest = [browser(artist, ip=f"192.0.2.{number}") for number in range(4)]
    assert not is_in(first)
    assert all(is_in(client) for client in rest)


def test_a_key_of_a_session_is_on_no_page(artist):
    here, phone = browser(artist), browser(artist, PHONE)
    page = here.get(PAGE).text
    assert here.session.session_key not in page
    assert phone.session.session_key not in page
