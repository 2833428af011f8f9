"""What no browser would send as a passkey is refused with a sentence, wherever one is asked for."""

import json

import pytest
from django.test import Client

from tests import factories
from tests.accounts.factors import code, log_in, with_app

pytestmark = pytest.mark.django_db

LIKE_ONE = {
    "id": "AAAA",
    "rawId": "AAAA",
    "type": "public-key",
    "clientExtensionResults": {},
    "response": {
        "userHandle": "AA",
        "clientDataJSON": "e30",
        "authenticatorData": "AA",
        "signature": "AA",
        "attestationObject": "AA",
    },
}
MADE_UP = ["", "{", "{}", "[]", "null", "1", '"x"', '{"id": 1}', '{"response": []}', "\0", "x" * 5000]
MADE_UP += [json.dumps({**LIKE_ONE, name: value}) for name in LIKE_ONE for value in (None, 1, "é", [], {})]
MADE_UP += [
    json.dumps({**LIKE_ONE, "response": {**LIKE_ONE["response"], name: value}})
    for name in LIKE_ONE["response"]
    for value in (None, 1, "", "!", "oQ", "eyJ0eXBlIjoieCJ9", [], "A" * 200)
]


@pytest.fixture(autouse=True)
def no_pause(settings):
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False


def test_instead_of_a_passkey_that_opens_alone():
    client = Client(raise_request_exception=False)
    for credential in MADE_UP:
        answer = client.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"})
        assert answer.status_code == 200
        answer = client.post("/accounts/2fa/webauthn/login/", {"credential": credential})
        assert (answer.status_code, answer.headers.get("Location")) == (302, "/accounts/login/"), credential


def test_instead_of_a_new_one_and_of_one_s_own(artist):
    client = Client(raise_request_exception=False)
    with_app(artist)
    log_in(client, artist)
    for credential in MADE_UP:
        answer = client.post("/accounts/2fa/authenticate/", {"credential": credential})
        assert answer.status_code == 200, credential
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    for credential in MADE_UP:
        client.get("/accounts/2fa/webauthn/add/")
        answer = client.post("/accounts/2fa/webauthn/add/", {"name": "x", "credential": credential})
        assert answer.status_code == 200, credential
    assert artist.authenticator_set.count() == 2


def test_instead_of_a_proof(settings):
    settings.REQUIRE_MFA = True
    admin = with_app(factories.member("admin"))
    client = Client(raise_request_exception=False)
    client.force_login(admin, backend="accounts.backends.MemberBackend")
    path = f"/program/members/{factories.member().pk}/factors/"
    page = client.post(path, {"reason": "They called."})
    for credential in MADE_UP[:20]:
        sealed = {"confirm-sealed": page.text.partition('name="confirm-sealed" value="')[2].partition('"')[0]}
        page = client.post(path, sealed | {"confirm-credential": credential})
        assert page.status_code == 422, credential
