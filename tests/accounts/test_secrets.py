"""Keys that open something appear in no log, and links in mails begin where the settings say."""

import logging

import pytest

from accounts.models.invitation import invite
from sorahub.logs import WithoutKeys
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/invitations/{}/", "/accounts/password/reset/key/{}/"])
def test_a_key_in_a_path_never_reaches_the_log(path):
    record = logging.makeLogRecord(
        {"msg": "Unprocessable Entity: %s", "args": (path.format("secret-key_1"),)}
    )
    assert WithoutKeys().filter(record)
    assert record.getMessage() == "Unprocessable Entity: " + path.format("…")


def test_the_console_uses_that_filter_for_a_refused_invitation(login, settings):
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["without_keys"]
    _invitation, link = invite("new@example.com", role="artist", cohort="First", by=None)
    handler = logging.getLogger("django").handlers[0]
    told = []
    handler.emit = lambda record: told.append(record.getMessage())
    try:
        path = link.removeprefix("http://testserver")
        assert login().post(path, {"name": "New", "password": "123"}).status_code == 422
    finally:
        del handler.emit
    key = path.split("/")[2]
    assert told
    assert not any(key in line for line in told)


def test_a_reset_mail_leads_to_the_site_whatever_host_was_asked(login, settings, mailoutbox):
    settings.ALLOWED_HOSTS = ["*"]
    settings.SITE_URL = "https://clips.example.org"
    user = factories.member()
    login().post("/accounts/password/reset/", {"email": user.email}, headers={"host": "evil.example.net"})
    (mail,) = mailoutbox
    assert "https://clips.example.org/accounts/password/reset/key/" in mail.body
    assert "evil" not in mail.body


def test_a_page_that_polls_after_the_session_ended_is_sent_to_the_login(login):
    answer = login().get("/studio/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/accounts/login/")
