"""Second factors: setting one up, logging in with it, losing it, and who must have one."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import SESSION_KEY
from django.core import mail

from accounts.models import AuditEntry, User
from tests import factories

from .factors import SECRET, age_proof, code, log_in, recovery_codes, with_app

pytestmark = pytest.mark.django_db

SET_UP = "/accounts/2fa/totp/activate/"


def is_in(client) -> bool:
    return SESSION_KEY in client.session


def acts() -> list[str]:
    return list(AuditEntry.objects.values_list("act", flat=True).order_by("sequence"))


def test_an_app_is_set_up_with_its_first_code_and_gives_recovery_codes(client, artist):
    log_in(client, artist)
    page = client.get(SET_UP)
    assert page.status_code == 200  # just logged in: nobody asks again
    secret = page.context["form"].secret
    assert client.post(SET_UP, {"code": "000000"}).context["form"].errors
    answer = client.post(SET_UP, {"code": code(secret)}, follow=True)
    assert answer.redirect_chain[-1][0] == "/accounts/2fa/recovery-codes/"
    shown = re.findall(r"<li>(\d{4}) (\d{4})</li>", answer.text)
    assert ["".join(parts) for parts in shown] == recovery_codes(artist)
    assert len(shown) == 10


def test_the_second_step_stands_between_the_password_and_the_house(client, artist):
    with_app(artist)
    assert log_in(client, artist).url == "/accounts/2fa/authenticate/"
    assert not is_in(client)
    assert client.get("/studio/").status_code == 302
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert "That was not accepted." in wrong.text
    answer = client.post("/accounts/2fa/authenticate/", {"code": code()})
    assert (answer.status_code, answer.url) == (302, "/home/")
    assert is_in(client)


def test_no_cache_keeps_secrets_and_codes(client, artist):
    with_app(artist)
    log_in(client, artist)
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    for path in ("recovery-codes/", "recovery-codes/download/", "webauthn/add/", ""):
        answer = client.get(f"/accounts/2fa/{path}")
        assert answer.status_code == 200
        assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("path", ["/accounts/2fa/", "/accounts/2fa/webauthn/"])
def test_the_pages_cost_the_same_with_many_passkeys(login, artist, path, count, django_assert_num_queries):
    Authenticator.objects.bulk_create(
        Authenticator(user=artist, type="webauthn", data={"name": f"Key {number}", "credential": {}})
        for number in range(count)
    )
    client = login(artist)
    with django_assert_num_queries(4 if path.endswith("2fa/") else 3):
        assert client.get(path).status_code == 200


def test_a_code_works_once_for_as_long_as_it_would_be_good(client, login, artist):
    with_app(artist)
    for step, times in ((1, 2), (-1, 1)):
        shown = None
        for turn in range(times):
            client.logout()
            log_in(client, artist)
            while time.time() % 30 > 25:  # a code shown now would be one older by the time it arrives
                time.sleep(0.1)
            shown = shown or code(step=step)
            client.post("/accounts/2fa/authenticate/", {"code": f" {shown[:3]} {shown[3:]}"})
            assert is_in(client) == (turn == 0)


def test_a_code_far_from_now_is_none(client, artist):
    with_app(artist)
    log_in(client, artist)
    for step in (-3, 3):
        client.post("/accounts/2fa/authenticate/", {"code": code(step=step)})
        assert not is_in(client)


def test_a_recovery_code_stands_in_once(client, artist):
    with_app(artist)
    first = recovery_codes(artist)[0]
    log_in(client, artist)
    client.post("/accounts/2fa/authenticate/", {"code": first})
    assert is_in(client)
    assert first not in recovery_codes(artist)
    client.logout()
    log_in(client, artist)
    client.post("/accounts/2fa/authenticate/", {"code": first})
    assert not is_in(client)


def test_after_too_many_wrong_codes_there_is_a_pause(client, artist):
    with_app(artist)
    log_in(client, artist)
    statuses = [client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert client.post("/accounts/2fa/authenticate/", {"code": code()}).status_code == 429
    assert not is_in(client)


def test_a_stolen_database_holds_no_second_factor(artist):
    with_app(artist)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert SECRET not in stored
    assert Authenticator.objects.get(type="totp").wrap().validate_code(code())


def test_a_changed_key_opens_no_factor_but_an_old_one_that_is_kept_does(settings, client, artist):
    with_app(artist)
    kept = settings.SECRET_KEY
    settings.SECRET_KEY = "another-key-that-is-long-enough-for-it"
    log_in(client, artist)
    assert "That was not accepted." in client.post("/accounts/2fa/authenticate/", {"code": code()}).text
    settings.SECRET_KEY_FALLBACKS = [kept]
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    assert is_in(client)


def test_a_password_alone_takes_no_second_factor_away(client, artist):
    with_app(artist)
    log_in(client, artist)
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    age_proof(client)
    remove = "/accounts/2fa/totp/deactivate/"
    for path in (remove, "/accounts/2fa/recovery-codes/", "/accounts/2fa/webauthn/add/"):
        assert client.get(path).url.startswith("/accounts/2fa/reauthenticate/")
    assert client.post(remove).url.startswith("/accounts/2fa/reauthenticate/")
    refused = client.post("/accounts/reauthenticate/", {"password": factories.PASSWORD})
    assert refused.url == "/accounts/2fa/reauthenticate/"
    assert Authenticator.objects.count() == 2
    client.post("/accounts/2fa/reauthenticate/", {"code": recovery_codes(artist)[0]})
    assert client.post(remove).status_code == 302
    assert not Authenticator.objects.exists()  # the recovery codes stood in for it, so they go, too
    assert acts()[-1] == "account.totp_deactivated"
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == ([artist.email], "The authenticator app was removed")
    assert "choose a new password now" in letter.body


def test_a_mail_server_that_is_away_undoes_nothing(client, artist, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    log_in(client, artist)
    new = {
        "oldpassword": factories.PASSWORD,
        "password1": "another-long-one",
        "password2": "another-long-one",
    }
    assert client.post("/accounts/password/change/", new).status_code == 302
    assert User.objects.get(pk=artist.pk).check_password("another-long-one")


# --- Who must have one ---------------------------------------------------------------------------


@pytest.fixture
def strict(settings):
    settings.REQUIRE_MFA = True


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("role", ["reviewer", "admin"])
def test_who_has_power_over_others_sets_one_up_before_anything_else(login, role):
    client = login(factories.member(role))
    for path in ("/studio/", "/desk/", "/program/", "/home/", "/accounts/email/", "/accounts/sessions/"):
        for answer in (client.get(path), client.post(path)):
            assert (answer.status_code, answer["Location"]) == (302, "/accounts/2fa/"), path
    asked = client.get("/desk/", headers={"HX-Request": "true"})
    assert (asked.status_code, asked["HX-Redirect"]) == (403, "/accounts/2fa/")
    page = client.get("/accounts/2fa/")
    assert "Reviewers and admins log in with a second factor here." in page.text
    for path in ("/", "/policy/", "/accounts/2fa/webauthn/", "/accounts/logout/"):
        assert client.get(path).status_code == 200, path


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("role, room", [("reviewer", "/desk/"), ("admin", "/program/")])
def test_with_one_the_house_is_open(client, role, room):
    member = factories.member(role)
    log_in(client, member)
    secret = client.get(SET_UP).context["form"].secret
    assert client.get(room).status_code == 302
    assert client.post(SET_UP, {"code": code(secret)}).status_code == 302
    assert client.get("/accounts/2fa/recovery-codes/").status_code == 200
    assert client.get(room).status_code == 200


@pytest.mark.usefixtures("strict")
def test_recovery_codes_alone_are_no_second_factor(login, reviewer):
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes

    RecoveryCodes.activate(reviewer)
    assert login(reviewer).get("/desk/").url == "/accounts/2fa/"


@pytest.mark.usefixtures("strict")
def test_artists_may(login, artist):
    assert login(artist).get("/studio/").status_code == 200


@pytest.mark.usefixtures("strict")
def test_who_becomes_an_admin_is_asked_at_the_next_request(login, artist):
    client = login(artist)
    artist.membership.role = "admin"
    artist.membership.save()
    assert client.get("/studio/").url == "/accounts/2fa/"


def test_where_it_is_not_asked_for_nobody_must(login, admin):
    assert login(admin).get("/program/").status_code == 200


@pytest.mark.usefixtures("strict")
def test_it_costs_no_query(login, reviewer, django_assert_num_queries):
    client = login(with_app(reviewer))
    with django_assert_num_queries(2):
        assert client.get("/standing/").status_code == 302
