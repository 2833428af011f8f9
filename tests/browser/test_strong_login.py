"""Strong login in a real browser, in a house that asks for it: passkeys, codes, sessions, help for the locked out."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.accounts.factors import code

from .conftest import PASSWORD, opened_without_worker, visitors_of
from .test_access import sideways, violations

pytestmark = pytest.mark.browser

PHONE = {"user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"}
AGE_PROOFS = """
from django.contrib.sessions.models import Session
from accounts.sessions import SessionStore
for row in Session.objects.all():
    session = SessionStore(row.session_key)
    for record in session.get("account_authentication_methods", []):
        record["at"] -= 3600
    session.save()
"""


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A house that asks for second factors, opened by a name: a passkey is bound to one, not to an address."""
    with opened_without_worker(tmp_path_factory.mktemp("strict"), SORAHUB_REQUIRE_MFA="1") as made:
        yield replace(made, address=made.address.replace("127.0.0.1", "localhost"))


@pytest.fixture
def come(chromium, strict):
    with visitors_of(strict, chromium) as come:
        yield come


@pytest.fixture
def join(come, strict):
    """join(role, name) is the page of somebody who has just come in by an invitation."""

    def _join(role, name):
        page = come()
        page.goto(
            strict.manage("invite", f"{name}@example.com", "--role", role).replace("127.0.0.1", "localhost")
        )
        page.fill("[name=name]", name.title())
        page.fill("[name=password]", PASSWORD)
        page.get_by_role("button", name="Join").click()
        page.wait_for_url(lambda url: "/invitations/" not in url)
        return page

    return _join


def give_authenticator(page) -> None:
    """A device of its own for this page, with a finger always on it."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
    }
    options |= {"isUserVerified": True, "automaticPresenceSimulation": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def add_passkey(page) -> None:
    give_authenticator(page)
    page.goto("/accounts/2fa/webauthn/add/")
    page.fill("[name=name]", "Phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey is added.")).to_be_visible()


def set_up_app(page) -> str:
    """Sets an app up by the page, and returns its secret."""
    page.goto("/accounts/2fa/totp/activate/")
    page.get_by_text("Can't scan it?").click()
    secret = page.locator(".secret").inner_text().strip()
    page.fill("[name=code]", code(secret))
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_text("Your authenticator app is set up.")).to_be_visible()
    return secret


def log_out(page) -> None:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()


def give_password(page, name: str) -> None:
    page.goto("/accounts/login/")
    page.fill("[name=login]", f"{name}@example.com")
    page.fill("[name=password]", PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()
    page.wait_for_url(lambda url: "/accounts/login" not in url)


def give_code(page, shown: str) -> None:
    page.fill("[name=code]", shown)
    page.get_by_role("button", name="Log in", exact=True).click()


def shuts_nobody_out(page) -> None:
    """As tests/browser/test_access.py asks of pages that can be walked to; these are met on the way only."""
    for width, scheme in ((1440, "dark"), (390, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.evaluate("Promise.all(document.getAnimations().map(fade => fade.finished))")
        assert violations(page) + sideways(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})


def test_an_admin_sets_up_an_app_first_and_a_recovery_code_stands_in_for_it(come):
    page = come("admin")
    expect(page.get_by_text("Reviewers and admins log in with a second factor here.")).to_be_visible()
    page.goto("/program/")
    expect(page.get_by_role("heading", name="Two-factor")).to_be_visible()
    secret = set_up_app(page)
    shown = [line.replace(" ", "") for line in page.locator(".codes li").all_inner_texts()]
    assert len(shown) == 10
    shuts_nobody_out(page)
    page.goto("/program/")
    expect(page.get_by_role("heading", name="The program")).to_be_visible()

    log_out(page)
    give_password(page, "admin")
    give_code(page, "000000")
    expect(page.get_by_text("That was not accepted.")).to_be_visible()
    give_code(page, shown[0])
    expect(page.get_by_role("button", name="Account")).to_be_visible()
    log_out(page)
    give_password(page, "admin")
    give_code(page, shown[0])
    expect(page.get_by_text("That was not accepted.")).to_be_visible()
    give_code(page, code(secret, step=1))
    expect(page.get_by_role("button", name="Account")).to_be_visible()


def test_a_passkey_opens_the_house_alone_and_proves_who_acts(join, strict):
    """Right after the invitation nobody asks for the password again; an hour later, an act on somebody asks."""
    page = join("admin", "ada")
    expect(page.get_by_role("heading", name="Two-factor")).to_be_visible()
    add_passkey(page)
    expect(page.locator(".codes li")).to_have_count(10)
    log_out(page)
    page.goto("/accounts/login/?next=/program/")
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("heading", name="The program")).to_be_visible()

    lost = join("artist", "lou")
    set_up_app(lost)
    strict.manage("shell", "-v0", "-c", AGE_PROOFS)
    page.goto(f"/program/members/{member_id(strict, 'lou')}/factors/")
    expect(page.get_by_text("An authenticator app.")).to_be_visible()
    shuts_nobody_out(page)
    page.get_by_label("How do you know that it is them?").fill("Called me on the number that I know.")
    page.get_by_role("button", name="Remove their second factors").click()
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    shuts_nobody_out(page)
    page.get_by_label("Code from your app").fill("000000")
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.get_by_text("That was not accepted.")).to_be_visible()
    page.get_by_role("button", name="Confirm with a passkey").click()
    expect(page.get_by_text("Lou can set up new second factors now.")).to_be_visible()
    page.goto(f"/program/members/{member_id(strict, 'lou')}/factors/")
    asked_by_htmx(page, strict)

    lost.goto("/studio/")
    assert "/accounts/login/" in lost.url  # the session ended with them
    give_password(lost, "lou")
    expect(lost.get_by_role("heading", name="Your takes")).to_be_visible()  # and the password alone lets in


def asked_by_htmx(page, house) -> None:
    """Asked for by a part of the page, the question takes the place of its content, and its passkey button works."""
    house.manage("shell", "-v0", "-c", AGE_PROOFS)
    page.add_script_tag(url="/static/django_htmx/htmx-2.min.js")
    page.evaluate(
        """() => htmx.ajax("POST", location.pathname, {
            source: document.querySelector("main form"), target: "main form", values: { reason: "Once more." } })"""
    )
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_role("button", name="Confirm with a passkey").click()
    expect(page.get_by_text("Lou has no second factor that could be reset.")).to_be_visible()


def member_id(house, name: str) -> str:
    ask = f"from accounts.models import User; print(User.objects.get(email='{name}@example.com').pk)"
    return house.manage("shell", "-v0", "-c", ask)


def test_as_the_second_step_a_passkey_does_what_a_code_does(join):
    page = join("artist", "pia")
    add_passkey(page)
    log_out(page)
    give_password(page, "pia")
    shuts_nobody_out(page)
    page.get_by_role("button", name="Use your passkey").click()
    page.wait_for_url(re.compile(r"/studio/$"))


def test_a_passkey_is_renamed_and_removed(join):
    page = join("artist", "rio")
    add_passkey(page)
    page.goto("/accounts/2fa/webauthn/")
    page.get_by_role("link", name=re.compile("Rename.*Phone")).click()
    page.get_by_label("Name").fill("Blue <key>")
    page.get_by_role("button", name="Save").click()
    page.get_by_role("link", name=re.compile("Remove.*Blue <key>")).click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No passkeys yet")).to_be_visible()


def test_where_passkeys_do_not_work_the_page_says_why(come, strict):
    page = come()
    page.goto(strict.address.replace("localhost", "127.0.0.1") + "/accounts/login/")
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_text("Passkeys don't work at this address")).to_be_visible()


def test_a_session_elsewhere_is_seen_and_ended(come, strict):
    here, phone = come("artist"), come("artist", **PHONE)
    here.goto("/accounts/sessions/")
    expect(here.get_by_text("Safari on iPhone", exact=True)).to_be_visible()
    here.get_by_role("button", name=re.compile("End it.*Safari on iPhone")).click()
    expect(here.get_by_text("That session has ended.")).to_be_visible()
    expect(here.get_by_text("Safari on iPhone", exact=True)).to_have_count(0)
    phone.goto("/studio/")
    expect(phone.get_by_role("heading", name="Log in")).to_be_visible()

    third = come("artist", **PHONE)
    here.goto("/accounts/sessions/")
    here.get_by_role("button", name="End all others").click()
    expect(here.get_by_text("You are logged in nowhere else now.")).to_be_visible()
    expect(here.get_by_text("This one")).to_be_visible()
    third.goto("/studio/")
    expect(third.get_by_role("heading", name="Log in")).to_be_visible()


def test_without_javascript_an_app_and_its_codes_work(come):
    page = come("reviewer", java_script_enabled=False)
    secret = set_up_app(page)
    page.goto("/accounts/2fa/webauthn/add/")
    expect(page.get_by_text("Passkeys need JavaScript.")).to_be_visible()
    page.context.clear_cookies()
    give_password(page, "reviewer")
    give_code(page, code(secret, step=1))
    page.wait_for_url(re.compile(r"/desk/$"))
