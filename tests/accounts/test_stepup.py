"""Asked again: an act on people waits for a proof, and then goes on with all that was sent, once, under every check."""

import re

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models.exclusion import end_sessions, suspend
from tests import factories

from . import acts
from .factors import age_proof, code, log_in, recovery_codes, with_app

pytestmark = pytest.mark.django_db

ACT = "/acts/?from=list"
WORDS = {"reason": "Line one\r\nLine “two” <b>&amp;</b> \u202e", "who": ["a@example.com", "b@example.com"]}


@pytest.fixture(autouse=True)
def house(settings):
    settings.REQUIRE_MFA = True
    settings.ROOT_URLCONF = "tests.accounts.acts"
    acts.done.clear()


@pytest.fixture
def admin(admin):
    return with_app(admin)


@pytest.fixture
def room(admin):
    """The browser of an admin who logged in longer ago than a proof holds."""
    client = Client()
    log_in(client, admin)
    client.post("/accounts/2fa/authenticate/", {"code": recovery_codes(admin)[0]})
    age_proof(client)
    return client


def sealed(answer) -> str:
    assert "Is it you?" in answer.text
    return re.search(r'name="confirm-sealed" value="([^"]+)"', answer.text)[1]


def ask(client, data=WORDS, path=ACT, **more) -> dict:
    """Sends an act and takes the page that asks; gives what that page posts back."""
    answer = client.post(path, data, **more)
    assert answer.status_code == 403
    assert acts.done == []
    return {"confirm-sealed": sealed(answer)}


def test_what_was_sent_goes_on_by_itself_after_the_proof(room):
    page = ask(room)
    answer = room.post(ACT, page | {"confirm-code": code()})
    assert (answer.status_code, answer.text) == (200, "done")
    expected = {"reason": [WORDS["reason"]], "who": WORDS["who"]}
    assert acts.done == [(ACT, expected, {})]


def test_one_proof_holds_for_five_minutes(room, settings):
    room.post(ACT, ask(room) | {"confirm-code": code()})
    assert room.post("/acts/", {"reason": "second"}).text == "done"
    age_proof(room, settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    assert room.post("/acts/", {"reason": "third"}).status_code == 403
    assert len(acts.done) == 2


def test_whoever_has_just_logged_in_was_just_asked(client, admin):
    log_in(client, admin)
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    assert client.post(ACT, WORDS).text == "done"


def test_looking_needs_no_proof(room):
    assert room.get("/acts/").text == "done"


def test_where_it_is_off_nobody_is_asked(room, settings):
    settings.REQUIRE_MFA = False
    assert room.post(ACT, WORDS).text == "done"


def test_an_uploaded_file_goes_along(room):
    content = "address,note\r\nzoë@example.com,“hé”\r\n".encode() * 4000 + bytes(range(256))
    file = SimpleUploadedFile("wave two.csv", content, "text/csv")
    page = ask(room, {"role": "artist", "csv": file})
    room.post(ACT, page | {"confirm-code": code()})
    assert acts.done == [(ACT, {"role": ["artist"]}, {"csv": [("wave two.csv", "text/csv", content)]})]


def test_a_file_too_large_to_carry_is_named_and_all_else_is_kept(room):
    import random

    file = SimpleUploadedFile("huge.csv", random.Random(1).randbytes(800_000), "text/csv")
    answer = room.post(ACT, {"pasted": "a@example.com", "csv": file})
    assert "“huge.csv” is too large to be kept meanwhile" in answer.text
    room.post(ACT, {"confirm-sealed": sealed(answer), "confirm-code": code()})
    assert acts.done == [(ACT, {"pasted": ["a@example.com"]}, {})]


def test_a_wrong_answer_does_nothing_and_loses_nothing(room):
    page = ask(room)
    for wrong in (
        {},
        {"confirm-code": "000000"},
        {"confirm-credential": "{}"},
        {"confirm-password": factories.PASSWORD},
    ):
        answer = room.post(ACT, page | wrong)
        assert answer.status_code == 422
        page = {"confirm-sealed": sealed(answer)}
    assert acts.done == []
    room.post(ACT, page | {"confirm-code": code()})
    assert len(acts.done) == 1


def test_too_many_wrong_answers_make_a_pause_that_loses_nothing(room):
    page = ask(room)
    statuses = [room.post(ACT, page | {"confirm-code": "000000"}).status_code for _ in range(6)]
    assert statuses == [422] * 5 + [429]
    answer = room.post(ACT, page | {"confirm-code": code()})
    assert answer.status_code == 429
    assert "Wait five minutes" in answer.text
    assert acts.done == []
    cache.clear()
    room.post(ACT, {"confirm-sealed": sealed(answer), "confirm-code": code()})
    assert acts.done[0][1]["reason"] == [WORDS["reason"]]


def test_sent_twice_it_is_done_once(room):
    page = ask(room, headers={"Referer": "http://testserver/program/"}) | {"confirm-code": code()}
    assert room.post(ACT, page).text == "done"
    again = room.post(ACT, page)
    assert (again.status_code, again.url) == (302, "/program/")
    assert "That was sent already" in room.get("/program/").text
    other = page | {"confirm-code": code(step=1)}  # nor with another proof
    assert room.post(ACT, other).status_code == 302
    assert len(acts.done) == 1


def test_a_page_leads_back_on_this_site_only(room):
    for elsewhere in (
        "https://evil.example/program/",
        "http://testserver.evil.example/",
        "//evil.example",
        "http://testserver//evil.example/",
        "http://testserver/\\evil.example/",
        "",
    ):
        answer = room.post(ACT, WORDS, headers={"Referer": elsewhere})
        assert '<a href="/">' in answer.text


def test_what_was_sealed_fits_no_other_door_and_no_other_person(room, admin):
    page = ask(room)
    assert room.post("/acts/other/", page | {"confirm-code": code()}).status_code == 400
    colleague = with_app(factories.member("admin"))
    client = Client()
    log_in(client, colleague)
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    assert client.post(ACT, page | {"confirm-code": code(step=1)}).status_code == 400
    for broken in ("", "x", page["confirm-sealed"][:-1], page["confirm-sealed"] + "x", "\0"):
        assert room.post(ACT, {"confirm-sealed": broken, "confirm-code": code()}).status_code == 400
    assert acts.done == []


def test_after_a_suspension_nothing_goes_on(room, admin):
    factories.member("admin")  # the last one can't be suspended
    page = ask(room)
    factories.member("admin")  # the last one could not be suspended
    suspend(admin.membership, by=None, reason="Because.")
    answer = room.post(ACT, page | {"confirm-code": code()})
    assert answer.url.startswith("/accounts/login/")
    log_in(room, admin)
    room.post("/accounts/2fa/authenticate/", {"code": recovery_codes(admin)[0]})
    assert room.post(ACT, page | {"confirm-code": code()}).url == "/standing/"
    assert acts.done == []


def test_after_the_role_is_lost_nothing_goes_on(room, admin):
    page = ask(room)
    admin.membership.role = "artist"
    admin.membership.save()
    answer = room.post(ACT, page | {"confirm-code": code()})
    assert answer.status_code == 403
    assert "for admins" in answer.text
    assert acts.done == []


def test_after_the_session_ended_nothing_goes_on(room, admin):
    page = ask(room)
    end_sessions(admin)
    assert room.post(ACT, page | {"confirm-code": code()}).status_code == 302
    assert acts.done == []


def test_who_may_not_is_told_so_and_not_asked(client, artist):
    log_in(client, artist)
    age_proof(client)
    answer = client.post(ACT, WORDS)
    assert answer.status_code == 403
    assert "Is it you?" not in answer.text


def test_the_answer_needs_the_token_of_its_own_form(admin):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin, backend="accounts.backends.MemberBackend")
    strict.get("/accounts/2fa/")
    token = strict.cookies["csrftoken"].value
    answer = strict.post(ACT, {**WORDS, "csrfmiddlewaretoken": token})
    page = {"confirm-sealed": sealed(answer), "confirm-code": code()}
    assert strict.post(ACT, page).status_code == 403
    assert acts.done == []
    own = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.text.partition("<main")[2])[1]
    assert strict.post(ACT, page | {"csrfmiddlewaretoken": own}).text == "done"


def test_htmx_puts_the_page_into_the_place_of_the_content(room):
    answer = room.post(ACT, WORDS, headers={"HX-Request": "true"})
    assert answer.status_code == 200  # it swaps nothing else
    assert (answer["HX-Retarget"], answer["HX-Reselect"]) == ("#main", "#main")
    room.post(ACT, {"confirm-sealed": sealed(answer), "confirm-code": code()})
    assert acts.done[0][1]["reason"] == [WORDS["reason"]]


def test_the_password_is_asked_of_who_has_nothing_stronger(client, settings):
    # It would not let them in.
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "SecondFactor" not in name]
    weak = factories.member("admin")
    log_in(client, weak)
    age_proof(client)
    page = ask(client)
    assert client.post(ACT, page | {"confirm-password": "wrong"}).status_code == 422
    assert client.post(ACT, page | {"confirm-password": factories.PASSWORD}).text == "done"


def test_the_page_that_asks_is_kept_by_no_cache(room):
    assert room.post(ACT, WORDS)["Cache-Control"] == "private, no-store"
