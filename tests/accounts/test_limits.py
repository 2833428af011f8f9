"""Pauses after too many tries, counted by the visitor's own address, which no header can choose."""

import pytest
from django.core import mail
from django.test import Client

from tests import factories

from .factors import log_in

pytestmark = pytest.mark.django_db

PROXY = "10.0.0.1"
ATTACKER, VICTIM = "203.0.113.5", "198.51.100.7"


def guess(number: int, forwarded: str, client=None) -> int:
    """One wrong log-in on an account of its own, so that only the address can be what is counted."""
    client = client or Client(REMOTE_ADDR=PROXY)
    data = {"login": f"guess{number}@example.com", "password": "wrong"}
    return client.post("/accounts/login/", data, headers={"X-Forwarded-For": forwarded}).status_code


def test_behind_a_proxy_each_visitor_has_an_own_pause(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    tried = [guess(number, ATTACKER) for number in range(12)]
    assert tried[:10] == [200] * 10
    assert tried[-1] == 429
    assert guess(99, VICTIM) == 200  # whom the same proxy hands on


@pytest.mark.parametrize("proxies, behind", [(1, ""), (2, ", 10.0.0.2")])
def test_hops_that_a_visitor_makes_up_neither_dodge_a_pause_nor_lay_it_on_others(settings, proxies, behind):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    tried = [guess(number, f"192.0.2.{number}, {VICTIM}, {ATTACKER}{behind}") for number in range(12)]
    assert tried[-1] == 429
    assert guess(99, f"{VICTIM}{behind}") == 200


def test_without_a_proxy_the_header_means_nothing(settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
    direct = Client(REMOTE_ADDR=ATTACKER)
    assert [guess(number, f"192.0.2.{number}", direct) for number in range(12)][-1] == 429
    assert guess(99, ATTACKER, Client(REMOTE_ADDR=VICTIM)) == 200


def test_the_address_that_mails_and_the_list_tell_is_the_visitor_s(settings, artist):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    client = Client(REMOTE_ADDR=PROXY, headers={"X-Forwarded-For": f"{VICTIM}, {ATTACKER}"})
    log_in(client, artist)
    (here,) = client.get("/accounts/sessions/").context["sessions"]
    assert here.ip == ATTACKER
    new = {
        "oldpassword": factories.PASSWORD,
        "password1": "another-long-one",
        "password2": "another-long-one",
    }
    client.post("/accounts/password/change/", new)
    assert f"Address: {ATTACKER}" in mail.outbox[0].body


def test_forgotten_passwords_are_asked_for_a_few_times_only(client, artist):
    asked = [
        client.post("/accounts/password/reset/", {"email": artist.email.upper()}).status_code
        for _ in range(6)
    ]
    assert asked == [302] * 5 + [429]
    assert len(mail.outbox) == 5
    other = factories.member()
    assert client.post("/accounts/password/reset/", {"email": other.email}).status_code == 302


def test_prompts_come_at_a_pace_and_the_one_too_many_stays_in_the_form(settings, login, artist):
    settings.ACCOUNT_RATE_LIMITS = {"prompt": "3/m/user"}
    client = login(artist)
    sent = {"prompt": "a test card", "model": "testcard", "aspect": "1:1", "duration": "1"}
    assert [client.post("/studio/jobs/", sent).status_code for _ in range(3)] == [302] * 3
    answer = client.post("/studio/jobs/", sent | {"prompt": "one too many"})
    assert answer.status_code == 429
    assert "You sent many prompts within a minute." in answer.text
    assert answer.context["form"]["prompt"].value() == "one too many"
    assert artist.jobs.count() == 3
    moved = login(artist)  # another session, another address
    assert moved.post("/studio/jobs/", sent, REMOTE_ADDR=VICTIM).status_code == 429
    assert login(factories.member()).post("/studio/jobs/", sent).status_code == 302


def test_passkeys_are_tried_a_few_times_only(client):
    tried = [
        client.post("/accounts/2fa/webauthn/login/", {"credential": "{}"}).status_code for _ in range(11)
    ]
    assert tried == [302] * 10 + [429]
