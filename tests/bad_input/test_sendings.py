"""What is sent twice, late, without its token, by the wrong method or by somebody else changes nothing it shouldn't."""

import uuid

import pytest

from generation.models import Job
from tests import factories

from .forms import GOOD

pytestmark = pytest.mark.django_db

# A login that was asked for by a form that had been sent leads back there, and must find a page.
LED_ON = {("/studio/jobs/", "get"), ("/studio/jobs/", "head")}


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
    [
        "1",
        "0",
        "-1",
        "x" * 36,
        "0" * 32,
        "00000000-0000-0000-0000-00000000000g",
        "F81D4FAE-7DEC-41D0-A765-00A0C91E6BF6",
    ],
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
    for url in ("/studio/jobs/", "/studio/draft/", f"/studio/jobs/{job.pk}/cancellation/"):
        for method in ("get", "head", "put", "patch", "delete", "options"):
            expected = 302 if (url, method) in LED_ON else 405
            assert getattr(studio, method)(url).status_code == expected, (url, method)
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
