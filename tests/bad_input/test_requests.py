"""A request that is too big, broken or no form at all gets a page with the right status, never an error."""

import uuid

import pytest
from django.contrib.auth.decorators import login_not_required
from django.urls import get_resolver, path

from generation.models import Job
from tests import factories

from .forms import FORM, GOOD

pytestmark = pytest.mark.django_db

PARTS = "multipart/form-data; boundary=x"
NAMED = b'Content-Disposition: form-data; name="prompt"'


def broken(request):
    raise RuntimeError("a sentence for the log only")


urlpatterns = [path("broken/", login_not_required(broken))]


def test_an_error_would_be_noticed_and_its_page_tells_no_detail(visit, settings, errors):
    settings.ROOT_URLCONF = __name__
    answer = visit().get("/broken/", {"q": "private words"})
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.text
    assert "a sentence for the log only" not in answer.text
    assert errors == ["Internal Server Error: /broken/"]
    errors.clear()


# --- Too much -----------------------------------------------------------------------------------


@pytest.mark.parametrize("content_type", [FORM, "multipart"])
@pytest.mark.parametrize("checks", [True, False])
def test_a_prompt_of_ten_megabytes_is_refused_with_a_sentence(visit, artist, content_type, checks):
    client = visit(artist, enforce_csrf_checks=checks)
    client.get("/studio/")
    words = "x" * 10_000_000
    if content_type == "multipart":
        answer = client.post("/studio/jobs/", GOOD | {"prompt": words})
    else:
        answer = client.post("/studio/jobs/", f"prompt={words}", content_type=FORM)
    assert answer.status_code == 413
    assert "That was more than a form can take. Go back, shorten it, and send it again." in answer.text
    assert len(answer.content) < 100_000
    assert not Job.objects.exists()


def test_ten_megabytes_are_refused_everywhere_a_form_is_taken(visit):
    client = visit(factories.member("reviewer"))
    for url in ("/accounts/login/", "/desk/next/", "/invitations/nothing/", "/accounts/password/reset/"):
        answer = client.post(url, "prompt=" + "x" * 10_000_000, content_type=FORM)
        assert answer.status_code in (302, 404, 413), url
    answer = visit().post("/accounts/login/", "login=" + "x" * 10_000_000, content_type=FORM)
    assert answer.status_code == 413


def test_two_thousand_fields_are_refused(studio):
    answer = studio.post("/studio/jobs/", "&".join(f"f{n}=1" for n in range(2000)), content_type=FORM)
    assert answer.status_code == 400


# --- Broken addresses, cookies and headers --------------------------------------------------------


ANYWHERE = ["/", "/studio/", "/desk/", "/accounts/login/", "/accounts/password/reset/"]
BROKEN_QUERIES = [
    "%00",
    "after=%00&q=%00&from=%00&next=%00",
    "after=%ff%fe&q=%ff%fe&from=%ff%fe&next=%ff%fe",
    "after=%ED%A0%80&q=%ED%A0%80&from=%ED%A0%80",
    "q=" + "%F0%9F%8E%AC" * 3000,
    "q=%E2%80%AE%E2%81%A6",
    "from=" + "9" * 5000,
    "from=urn:uuid:%7B%7D&after=0x0",
    "next=//evil.example&next=javascript:alert(1)",
    "next=%0d%0aSet-Cookie:x",
    "&&&===;;;",
    "q[]=1&q=1&q=2",
    "q=%25%5F'%22;--",
]


@pytest.mark.parametrize("query", BROKEN_QUERIES)
def test_a_broken_query_string_breaks_no_page(visit, query):
    for user in (None, factories.member(), factories.member("reviewer")):
        client = visit(user)
        for url in ANYWHERE:
            answer = client.get(f"{url}?{query}")
            assert answer.status_code in (200, 302, 400, 403, 404), (url, answer.status_code)


@pytest.mark.parametrize(
    "name",
    ["%00", "a%00b", "%ff%fe", "%ED%A0%80", "..%2f..%2fetc%2fpasswd", "%E2%80%AE", "%0d%0aX:1", "x" * 5000],
)
def test_a_broken_path_is_a_404_and_never_an_error(visit, name):
    for user in (None, factories.member("reviewer")):
        client = visit(user)
        for url in (
            f"/{name}",
            f"/studio/jobs/{name}/",
            f"/studio/clips/{name}/video.mp4",
            f"/desk/submissions/{name}/",
            f"/watch/{name}/",
            f"/watch/{name}/video.mp4",
            f"/invitations/{name}/",
            f"/static/{name}",
            f"/accounts/password/reset/key/{name}-{name}/",
            f"/accounts/confirm-email/{name}/",
        ):
            answer = client.get(url)
            assert answer.status_code in (200, 302, 400, 403, 404), (url, answer.status_code)
            assert "No such file" not in getattr(answer, "text", "")


@pytest.mark.parametrize(
    "cookie",
    [
        "sessionid=\0",
        'sessionid="\\000abcdefghij"',
        "sessionid=" + "x" * 5000,
        'sessionid="\\377\\376abcdefgh"; csrftoken="\\000"',
        "csrftoken=\0; messages=\0",
        'messages="\\000"; sessionid=zzzzzzzzzzzzzzzzzzzz',
        "messages=.eJx",
        '=;;=;"',
        "theme=\xff\xfe",
    ],
)
def test_a_broken_cookie_is_a_strangers_cookie(visit, cookie):
    for url in ("/", "/studio/", "/accounts/login/"):
        answer = visit().get(url, headers={"cookie": cookie})
        assert answer.status_code == (302 if url == "/studio/" else 200), url
    answer = visit(enforce_csrf_checks=True).post("/studio/jobs/", GOOD, headers={"cookie": cookie})
    assert answer.status_code in (302, 403)


@pytest.mark.parametrize(
    "value", ["\0", "\xff\xfe", "x" * 20000, "::1, \0", "\u202e".encode().decode("latin-1"), "' OR 1=1"]
)
def test_a_broken_header_breaks_no_page(visit, artist, value):
    names = (
        "User-Agent",
        "Accept",
        "Accept-Language",
        "Accept-Encoding",
        "Referer",
        "X-Forwarded-For",
        "Origin",
    )
    names += (
        "X-Requested-With",
        "If-None-Match",
        "If-Modified-Since",
        "If-Range",
        "Range",
        "HX-Request",
        "HX-Current-URL",
    )
    headers = dict.fromkeys(names, value)
    for client in (visit(), visit(artist)):
        for url in ("/", "/studio/", "/policy/", "/accounts/password/change/"):
            assert client.get(url, headers=headers).status_code in (200, 302)
    answer = visit().post("/accounts/login/", {"login": "a@example.com", "password": "x"}, headers=headers)
    assert answer.status_code in (200, 403)


@pytest.mark.parametrize("host", ["evil.example", "\0", "testserver:abc", "a b", ""])
def test_an_unknown_host_is_refused_with_a_page(visit, host):
    answer = visit().get("/", headers={"host": host})
    assert answer.status_code == 400
    assert "That didn’t arrive whole" in answer.text


# --- Not a form at all --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body, content_type",
    [
        (b"prompt=%ff%fe&model=testcard&aspect=1:1", FORM),
        (b"\xff\xfe\x00", FORM),
        (b"", FORM),
        (b"&=&=;%", FORM),
        (b"prompt=a+ball&model=testcard", FORM + "; charset=latin-1"),
        (b'{"prompt": "a ball"}', "application/json"),
        (b"{", "application/json"),
        (b"<a/>", "text/xml"),
        (b"prompt=a ball", "text/plain"),
        (b"prompt=a ball", ""),
        (b"\0", "\0"),
        (b"--x\r\n", PARTS),
        (b"nothing", "multipart/form-data"),
        (b"--\xff", "multipart/form-data; boundary=\xff"),
        (b"--x\r\n" + NAMED + b"\r\n\r\n\xff\xfe\r\n--x--\r\n", PARTS),
        (b"--x\r\n" + NAMED + b'; filename="a"\r\n\r\nb\r\n--x--\r\n', PARTS),
        (b"--x\r\n" + NAMED + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n@\r\n--x--", PARTS),
    ],
)
def test_a_body_that_is_no_form_makes_no_job_and_no_error(visit, artist, body, content_type):
    for checks in (False, True):
        client = visit(artist, enforce_csrf_checks=checks)
        answer = client.generic("POST", "/studio/jobs/", body, content_type=content_type)
        assert answer.status_code in (400, 403, 422), answer.status_code
    for url in ("/accounts/login/", "/accounts/password/reset/", "/invitations/x/"):
        answer = visit().generic("POST", url, body, content_type=content_type)
        assert answer.status_code in (200, 400, 403, 404), (url, answer.status_code)
    assert not Job.objects.exists()


def test_bytes_that_are_no_utf8_are_told_back_and_never_stored_in_silence(studio):
    body = b"prompt=caf%e9+at+night&model=testcard&aspect=1:1&duration=1"
    answer = studio.generic("POST", "/studio/jobs/", body, content_type=FORM)
    assert answer.status_code in (302, 422)
    if answer.status_code == 302:
        assert Job.objects.get().prompt == "caf\ufffd at night"


# --- Everywhere ---------------------------------------------------------------------------------


def every_route():
    """Each URL pattern with something of the right shape in it."""

    def walk(patterns, prefix):
        for pattern in patterns:
            route = prefix + str(pattern.pattern)
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern.url_patterns, route)
            else:
                yield route

    return sorted(set(walk(get_resolver().url_patterns, "")))


SHAPES = {"<uuid:pk>": str(uuid.UUID(int=7)), "<work:slug>": "a" * 12, "<str:key>": "k" * 43}


@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_no_door_answers_nonsense_with_an_error(visit, reviewer, method):
    odd = {
        name: "\0\u202e\ud7ff"
        for name in ("prompt", "title", "statement", "note", "reason", "outcome", "content_hash")
    }
    odd |= {
        name: "\0"
        for name in ("login", "email", "password", "name", "reasons", "oldpassword", "action", "next")
    }
    seen = 0
    for client in (visit(), visit(reviewer)):
        for route in every_route():
            for shape, value in SHAPES.items():
                route = route.replace(shape, value)
            if any(letter in route for letter in "<(^$\\"):
                continue
            url = "/" + route
            seen += 1
            answer = (
                client.get(url, odd)
                if method == "get"
                else getattr(client, method)(url, odd if method == "post" else None)
            )
            assert answer.status_code < 500, (method, url)
    assert seen > 50
