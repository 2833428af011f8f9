"""What no form expects: huge, broken, hostile and late input gets a sentence and the right status, never a 500."""

import logging
import uuid

import pytest
from django.contrib.auth.decorators import login_not_required
from django.test import Client
from django.urls import get_resolver, path

from generation.engine import catalog
from generation.models import Job
from tests import factories

pytestmark = pytest.mark.django_db

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
GOOD = {
    "prompt": "a red ball",
    "model": "testcard",
    "aspect": "1:1",
    "duration": "1",
    "steps": "2",
    "seed": "7",
}
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"
NAMED = b'Content-Disposition: form-data; name="prompt"'


class Kept(logging.Handler):
    """What one logger was told at ERROR and above."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.records = []

    def emit(self, record):
        self.records.append(record.getMessage())


@pytest.fixture(autouse=True)
def errors():
    """Whatever a test sends, Django's log of requests holds no error afterwards."""
    kept, requests = Kept(), logging.getLogger("django.request")
    requests.addHandler(kept)
    yield kept.records
    requests.removeHandler(kept)
    assert kept.records == []


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


@pytest.fixture
def visit():
    """visit(user) gives a browser that sees the 500 page instead of the test's traceback; visit() a stranger's."""

    def _visit(user=None, **kwargs):
        client = Client(raise_request_exception=False, **kwargs)
        if user:
            client.force_login(user, backend=BACKEND)
        return client

    return _visit


@pytest.fixture
def studio(visit, artist):
    return visit(artist)


def sentence_of(answer) -> str:
    """All that a form's answer says about errors, the form's own and the fields'."""
    form = answer.context["form"]
    return " ".join(str(error) for errors in form.errors.values() for error in errors)


def refused(client, status=422, **changes):
    """Posts the prompt form with something wrong in it; it must come back filled, with no job made."""
    sent = GOOD | changes
    answer = client.post("/studio/jobs/", sent)
    assert answer.status_code == status, answer.status_code
    assert not Job.objects.exists()
    form = answer.context["form"]
    for name, value in sent.items():
        assert form[name].value() == value, f"{name} was lost"
    assert sentence_of(answer)
    return answer


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


def test_a_prompt_a_little_too_long_comes_back_whole(studio):
    words = "é" * (catalog.PROMPT_LIMIT + 1)
    answer = refused(studio, prompt=words)
    assert "2000" in sentence_of(answer).replace(",", "")
    assert words in answer.text
    assert studio.post("/studio/jobs/", GOOD | {"prompt": words[:-1]}).status_code == 302


def test_two_thousand_fields_are_refused(studio):
    answer = studio.post("/studio/jobs/", "&".join(f"f{n}=1" for n in range(2000)), content_type=FORM)
    assert answer.status_code == 400


# --- Not text -----------------------------------------------------------------------------------


def test_a_nul_in_any_field_is_refused(studio):
    for field in ("prompt", "negative_prompt", "model", "aspect", "duration", "steps", "guidance", "seed"):
        for value in ("\0", "a\0b"):
            refused(studio, **{field: value})


def test_a_nul_in_the_form_s_key_is_refused_or_ignored(studio):
    answer = studio.post("/studio/jobs/", GOOD | {"form_key": "\0"})
    assert answer.status_code in (302, 422)


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


RIGHT_TO_LEFT = (
    "סירה אדומה على البحر \u202eevil\u202c \u2066isolated\u2069 \u200f\u200e e\u0301 👩‍👩‍👧‍👦 \U000e0001"
)


def test_words_in_any_script_are_kept_exactly_and_shown_in_their_own_direction(studio):
    answer = studio.post(
        "/studio/jobs/", GOOD | {"prompt": RIGHT_TO_LEFT, "negative_prompt": "\u202egnp.exe"}
    )
    assert answer.status_code == 302
    job = Job.objects.get()
    assert (job.prompt, job.negative_prompt) == (RIGHT_TO_LEFT, "\u202egnp.exe")
    page = studio.get(answer.url).text
    assert f'dir="auto">{RIGHT_TO_LEFT}' in page
    assert studio.get("/studio/").status_code == 200
    assert studio.get(f"/studio/?from={job.pk}").context["form"]["prompt"].value() == RIGHT_TO_LEFT


@pytest.mark.parametrize("words", [" ", "\t\r\n", "\u00a0\u2003", "\u3000"])
def test_words_that_are_only_space_are_no_prompt(studio, words):
    answer = studio.post("/studio/jobs/", GOOD | {"prompt": words})
    assert answer.status_code == 422
    assert "Say what should be seen" in sentence_of(answer)


def test_markup_in_a_prompt_stays_text(studio):
    words = "<script>alert(1)</script> {{ 7 }} {% csrf_token %} &amp; \"'"
    url = studio.post("/studio/jobs/", GOOD | {"prompt": words}).url
    for page in (
        studio.get(url),
        studio.get("/studio/"),
        studio.get(f"/studio/?from={Job.objects.get().pk}"),
    ):
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text


# --- Not numbers --------------------------------------------------------------------------------

ABSURD = [
    "1e9",
    "1000000000",
    "-1",
    "0",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "Infinity",
    "1e400",
    "-1e400",
    "9" * 5000,
]
ABSURD += [
    "9" * 4000,
    "1" + "0" * 400,
    "0x10",
    "two",
    "--",
    "1,5",
    "1 2",
    "²",
    "½",
    "\u202e5",
    "1.5.5",
    "[]",
    "None",
]


@pytest.mark.parametrize(
    "field, values",
    [
        ("steps", ABSURD),
        ("guidance", [value for value in ABSURD if value != "1,5"]),
        ("seed", [value for value in ABSURD if value not in ("0", "1000000000")] + ["4294967296"]),
    ],
)
def test_an_absurd_number_is_refused_by_its_name(studio, field, values):
    for value in values:
        answer = refused(studio, **{field: value})
        assert set(answer.context["form"].errors) == {field}
        assert len(sentence_of(answer)) < 200


@pytest.mark.parametrize("seed", [0, 1, 2**31, 2**32 - 1])
def test_a_seed_at_the_edge_is_taken_as_it_is(studio, seed):
    assert studio.post("/studio/jobs/", GOOD | {"seed": str(seed)}).status_code == 302
    assert Job.objects.get().seed == seed


def test_a_duration_that_is_not_offered_is_refused_by_name(studio):
    for value in ("", "0", "-1", "3", "1e9", "nan", "inf", "1.0000001", "9" * 5000, "\0"):
        assert set(refused(studio, duration=value).context["form"].errors) == {"duration"}


def test_a_size_that_is_not_offered_is_refused_by_name(studio):
    for value in ("", "0:0", "1:0", "9999:1", "16:9:1", "one", "-1:1"):
        assert set(refused(studio, aspect=value).context["form"].errors) == {"aspect"}


@pytest.mark.parametrize(
    "value", ["", "nope", "TESTCARD", "../embedded", "embedded\n", "0", "\u202etestcard"]
)
def test_an_unknown_model_is_refused_in_words_that_are_seen(studio, value):
    """Also where one model is offered, so that the field isn't shown at all."""
    answer = refused(studio, model=value)
    said = sentence_of(answer)
    assert "odel" in said or "valid choice" in said
    shown = answer.text
    errors = [str(error) for errors in answer.context["form"].errors.values() for error in errors]
    assert all(error.replace("'", "&#x27;") in shown for error in errors)


@pytest.mark.parametrize("missing", ["prompt", "model", "aspect", "duration"])
def test_a_field_left_out_is_asked_for(studio, missing):
    answer = studio.post("/studio/jobs/", {name: value for name, value in GOOD.items() if name != missing})
    assert answer.status_code == 422
    assert sentence_of(answer)


def test_numbers_left_empty_take_the_models_own(studio):
    assert studio.post("/studio/jobs/", GOOD | {"steps": "", "guidance": "", "seed": ""}).status_code == 302
    job = Job.objects.get()
    assert (job.steps, job.guidance) == (8, 3.0)
    assert 0 <= job.seed < 2**32


def test_a_field_sent_many_times_counts_once(studio):
    answer = studio.post("/studio/jobs/", GOOD | {"prompt": ["one", "two"], "steps": ["3", "4"]})
    assert answer.status_code == 302
    assert (Job.objects.get().prompt, Job.objects.get().steps) == ("two", 4)


# --- Twice, late, and of somebody else ----------------------------------------------------------


def test_a_form_sent_twice_makes_one_job(studio):
    form = GOOD | {"form_key": str(uuid.uuid4()), "seed": ""}
    first, second = studio.post("/studio/jobs/", form), studio.post("/studio/jobs/", form)
    assert first.url == second.url
    assert Job.objects.count() == 1


def test_a_page_found_again_by_back_and_changed_makes_its_own_job(studio):
    """The words typed last must not be lost behind the job that the page had made before."""
    form = GOOD | {"form_key": str(uuid.uuid4())}
    studio.post("/studio/jobs/", form)
    for name, value in (("prompt", "a blue cube"), ("seed", "8"), ("duration", "2"), ("steps", "3")):
        assert studio.post("/studio/jobs/", form | {name: value}).status_code == 302
    assert Job.objects.count() == 5
    assert Job.objects.filter(prompt="a blue cube").count() == 1


@pytest.mark.parametrize("key", ["", "stale", "0" * 31, "{}", "9" * 5000])
def test_a_broken_form_key_loses_nothing(studio, key):
    answer = studio.post("/studio/jobs/", GOOD | {"form_key": key})
    assert answer.status_code in (302, 422)
    if answer.status_code == 422:
        said = [str(error) for error in answer.context["form"].non_field_errors()]
        assert said
        assert all(error in answer.text for error in said)


def test_a_form_whose_token_is_missing_or_stale_is_refused_with_a_page(visit, artist):
    client = visit(artist, enforce_csrf_checks=True)
    client.get("/studio/")
    for token in (
        {},
        {"csrfmiddlewaretoken": "\0"},
        {"csrfmiddlewaretoken": "x" * 64},
        {"csrfmiddlewaretoken": "é"},
    ):
        answer = client.post("/studio/jobs/", GOOD | token)
        assert answer.status_code == 403
        assert "This form had gone stale" in answer.text
    good = client.post("/studio/jobs/", GOOD | {"csrfmiddlewaretoken": client.cookies["csrftoken"].value})
    assert (good.status_code, Job.objects.count()) == (302, 1)


def test_every_act_asks_for_the_token(visit, artist):
    client = visit(artist, enforce_csrf_checks=True)
    job = factories.job(artist)
    urls = (
        "/studio/jobs/",
        f"/studio/jobs/{job.pk}/cancellation/",
        "/desk/next/",
        "/accounts/logout/",
        "/accounts/login/",
    )
    assert {client.post(url).status_code for url in urls} == {403}
    job.refresh_from_db()
    assert job.status == "queued"


def test_the_studio_of_someone_logged_out_meanwhile_asks_to_log_in(visit, artist):
    client = visit(artist)
    client.get("/studio/")
    client.logout()
    answer = client.post("/studio/jobs/", GOOD)
    assert (answer.status_code, answer.url) == (302, "/accounts/login/?next=/studio/jobs/")


def test_someone_else_s_ids_are_as_unknown_as_ids_that_never_were(visit, artist):
    other = factories.member()
    clip = factories.clip(artist)
    running = factories.job(artist, prompt="a secret prompt")
    submission = factories.submission(clip, artist=artist)
    client = visit(other)
    nobody = uuid.uuid4()
    for mine, never in (
        (f"/studio/jobs/{running.pk}/", f"/studio/jobs/{nobody}/"),
        (f"/studio/jobs/{running.pk}/status.json", f"/studio/jobs/{nobody}/status.json"),
        (f"/studio/clips/{clip.pk}/", f"/studio/clips/{nobody}/"),
        (f"/studio/clips/{clip.pk}/video.mp4", f"/studio/clips/{nobody}/video.mp4"),
        (f"/studio/submissions/{submission.pk}/", f"/studio/submissions/{nobody}/"),
        (f"/studio/?from={running.pk}", f"/studio/?from={nobody}"),
    ):
        theirs, missing = client.get(mine), client.get(never)
        assert (theirs.status_code, missing.status_code) == (404, 404), mine
        assert "secret" not in theirs.text
    for act in (
        f"jobs/{running.pk}/cancellation/",
        f"clips/{clip.pk}/submissions/",
        f"submissions/{submission.pk}/withdrawal/",
    ):
        assert client.post(f"/studio/{act}", {"title": "x"}).status_code == 404
    running.refresh_from_db()
    assert running.status == "queued"
    assert client.get(f"/studio/?after={running.pk}").status_code == 200


@pytest.mark.parametrize(
    "pk",
    ["1", "0", "-1", "x" * 36, "0" * 32, "00000000-0000-0000-0000-00000000000g", str(uuid.uuid4()).upper()],
)
def test_a_malformed_id_is_a_404(studio, pk):
    for url in (
        f"/studio/jobs/{pk}/",
        f"/studio/jobs/{pk}/status.json",
        f"/studio/clips/{pk}/",
        f"/studio/clips/{pk}/poster.jpg",
    ):
        assert studio.get(url).status_code == 404
    assert studio.post(f"/studio/jobs/{pk}/cancellation/").status_code == 404


def test_a_wrong_method_is_refused_and_changes_nothing(studio, artist):
    job = factories.job(artist)
    for url in ("/studio/jobs/", f"/studio/jobs/{job.pk}/cancellation/"):
        for method in ("get", "head", "put", "patch", "delete", "options"):
            assert getattr(studio, method)(url).status_code == 405, (url, method)
    for url in (
        "/studio/",
        f"/studio/jobs/{job.pk}/",
        f"/studio/jobs/{job.pk}/status.json",
        "/",
        "/policy/",
        "/healthz",
    ):
        for method in ("post", "put", "patch", "delete"):
            assert getattr(studio, method)(url, GOOD if method == "post" else None).status_code == 405, (
                url,
                method,
            )
    job.refresh_from_db()
    assert (job.status, Job.objects.count()) == ("queued", 1)


# --- Not a form at all --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body, content_type",
    [
        (b"prompt=%ff%fe&model=testcard&aspect=1:1", FORM),
        (b"\xff\xfe\x00", FORM),
        (b"", FORM),
        (b"&=&=;%", FORM),
        (b"prompt=a+ball&model=testcard", FORM + "; charset=latin-1"),
        (b"prompt=a+ball", FORM + "; charset=no-such-thing"),
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
