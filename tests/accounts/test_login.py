"""Logging in, logging out, and a forgotten password; signing up is closed."""

import re

import pytest
from django.contrib.auth import SESSION_KEY
from django.core import mail

from accounts.models import User
from tests import factories

pytestmark = pytest.mark.django_db


def log_in(client, email, password=factories.PASSWORD, **more):
    return client.post("/accounts/login/", {"login": email, "password": password, **more})


def is_in(client) -> bool:
    return SESSION_KEY in client.session


@pytest.mark.parametrize("spelling", [str, str.upper, str.title, lambda email: f"  {email} "])
def test_a_member_logs_in_by_e_mail_in_any_spelling(client, artist, spelling):
    answer = log_in(client, spelling(artist.email))
    assert (answer.status_code, answer.url) == (302, "/home/")
    assert is_in(client)


@pytest.mark.parametrize(
    "role, room", [("artist", "/studio/"), ("reviewer", "/desk/"), ("admin", "/studio/")]
)
def test_each_role_lands_in_its_own_room(client, role, room):
    log_in(client, factories.member(role).email)
    assert client.get("/home/").url == room


def test_one_lands_where_one_wanted_to_go_but_never_on_another_site(client, artist):
    page = "/studio/?after=x"
    assert log_in(client, artist.email, next=page).url == page
    for elsewhere in (
        "https://evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "\\\\evil.example",
        "https:///evil",
    ):
        client.logout()
        assert log_in(client, artist.email, next=elsewhere).url == "/home/"


@pytest.mark.parametrize(
    "password", ["wrong", factories.PASSWORD.upper(), factories.PASSWORD + " ", "", "\0", "x" * 5000]
)
def test_a_wrong_password_keeps_the_form_and_tells_nothing(client, artist, password):
    known = log_in(client, artist.email, password)
    unknown = log_in(client, "nobody@example.com", password)
    for answer in (known, unknown):
        assert answer.status_code == 200
        assert answer.context["form"].errors
    assert known.context["form"].errors == unknown.context["form"].errors
    assert artist.email in known.text
    assert not is_in(client)


def test_someone_switched_off_does_not_get_in(client, artist):
    User.objects.filter(pk=artist.pk).update(is_active=False)
    log_in(client, artist.email)
    assert not is_in(client)
    assert client.get("/studio/").status_code == 302


def test_someone_switched_off_while_logged_in_is_out_at_the_next_request(login, artist):
    client = login(artist)
    assert client.get("/studio/").status_code == 200
    User.objects.filter(pk=artist.pk).update(is_active=False)
    assert client.get("/studio/").status_code == 302


def test_after_too_many_failed_logins_there_is_a_pause_with_a_page(client, artist):
    for _ in range(5):
        assert log_in(client, artist.email, "wrong").status_code == 200
    answer = log_in(client, artist.email, "wrong")
    assert answer.status_code == 429
    assert "Wait five minutes, then try once more." in answer.text
    assert 'class="site-header"' in answer.text
    assert log_in(client, artist.email.upper()).status_code == 429  # not even the right one
    assert not is_in(client)
    assert log_in(client, factories.member().email).status_code == 302  # nobody else is held up


def test_one_address_can_not_try_many_accounts(client):
    statuses = [log_in(client, f"guess{number}@example.com", "wrong").status_code for number in range(12)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


def test_a_forged_header_does_not_get_around_the_pause(client, artist):
    for number in range(6):
        headers = {"X-Forwarded-For": f"10.0.0.{number}"}
        data = {"login": f"guess{number}@example.com", "password": "wrong"}
        client.post("/accounts/login/", data, headers=headers)
        client.post("/accounts/login/", data | {"login": f"other{number}@example.com"}, headers=headers)
    assert log_in(client, "another@example.com", "wrong").status_code == 429


def test_logging_out_takes_a_click(login, artist):
    client = login(artist)
    page = client.get("/accounts/logout/")
    assert page.status_code == 200
    assert "Log out?" in page.text
    assert is_in(client)
    answer = client.post("/accounts/logout/")
    assert (answer.status_code, answer.url) == (302, "/")
    assert not is_in(client)
    assert client.get("/studio/").status_code == 302


def test_nobody_signs_up_without_an_invitation(client):
    form = {"email": "eve@example.com", "password1": factories.PASSWORD, "password2": factories.PASSWORD}
    for answer in (client.get("/accounts/signup/"), client.post("/accounts/signup/", form)):
        assert answer.status_code == 200
        assert "The studio is open by invitation" in answer.text
        assert "<form" not in answer.text.partition("<main")[2].partition("</main>")[0]
    assert not User.objects.exists()
    assert "signup" not in client.get("/accounts/login/").text


def test_a_forgotten_password_is_set_anew_by_mail(client, artist):
    answer = client.post("/accounts/password/reset/", {"email": artist.email.upper()})
    assert answer.status_code == 302
    (letter,) = mail.outbox
    assert letter.to == [artist.email]
    (link,) = re.findall(r"http://testserver(/accounts/password/reset/key/\S+)", letter.body)
    page = client.get(link, follow=True)
    assert page.status_code == 200
    form = page.redirect_chain[-1][0]
    weak = client.post(form, {"password1": "short", "password2": "short"})
    assert "too short" in weak.text
    new = "another-long-password"
    assert client.post(form, {"password1": new, "password2": new}).status_code == 302
    client.logout()
    assert log_in(client, artist.email).status_code == 200
    assert not is_in(client)
    log_in(client, artist.email, new)
    assert is_in(client)
    client.logout()
    used = client.get(link, follow=True)
    assert used.status_code == 200
    assert "password1" not in used.text


def test_a_new_password_ends_the_sessions_that_the_old_one_opened(client, login, artist):
    elsewhere = login(artist)
    client.post("/accounts/password/reset/", {"email": artist.email})
    (link,) = re.findall(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[0].body)
    form = client.get(link, follow=True).redirect_chain[-1][0]
    client.post(form, {"password1": "another-long-password", "password2": "another-long-password"})
    assert elsewhere.get("/studio/").status_code == 302


def test_whether_an_address_is_known_is_told_to_nobody_but_its_owner(client, artist):
    known = client.post("/accounts/password/reset/", {"email": artist.email}, follow=True)
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.com"}, follow=True)
    assert known.text == unknown.text
    assert [letter.to for letter in mail.outbox] == [[artist.email]]  # nor do strangers get our letters


def test_passwords_are_hashed_by_a_slow_function():
    import django.conf.global_settings as defaults

    assert defaults.PASSWORD_HASHERS[0].endswith("PBKDF2PasswordHasher")  # the product sets no other
    import sorahub.settings as product

    assert not hasattr(product, "PASSWORD_HASHERS")
