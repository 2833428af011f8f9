"""The studio's pages: takes in order, a job as it goes, and the fragments that a page asks for."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from generation import outlook, queue
from generation.engine import catalog, entries, weights
from generation.models import Attempt, Job
from generation.views.studio import PAGE
from tests import factories

pytestmark = pytest.mark.django_db

GOOD = {"prompt": "a red ball", "model": "testcard", "aspect": "1:1", "duration": "1"}


@pytest.fixture
def studio(login, artist):
    return login(artist)


def takes_on(page) -> list:
    return [take.pk for take in page.context["takes"]]


def in_every_state(owner) -> dict[str, Job]:
    """One job of each kind: done, running, failed, cancelled, put back after a lapse, and waiting."""
    made = {"succeeded": factories.clip(owner).job}
    made["failed"] = factories.job(owner, "one that fails")
    queue.give_up(factories.claim_of(made["failed"]), retry=False, sentence="It couldn't be drawn.")
    made["cancelled"] = factories.job(owner, "one that was cancelled")
    queue.cancel(made["cancelled"], by=owner)
    made["running"] = factories.job(owner, "one that runs")
    queue.renew(factories.claim_of(made["running"]), stage="denoising", step=3)
    made["queued"] = factories.job(owner, "one that waits")
    for job in made.values():
        job.refresh_from_db()
    assert {name: job.status for name, job in made.items()} == {name: name for name in made}
    return made


# --- Making a take ------------------------------------------------------------------------------


def test_a_prompt_becomes_a_job_with_what_the_form_said(studio, artist):
    told = GOOD | {
        "negative_prompt": "rain",
        "aspect": "3:2",
        "duration": "2",
        "steps": "9",
        "guidance": "4.5",
        "seed": "42",
    }
    answer = studio.post("/studio/jobs/", told)
    job = Job.objects.get()
    assert answer.url == f"/studio/jobs/{job.pk}/"
    assert (job.owner, job.status, job.prompt, job.negative_prompt) == (
        artist,
        "queued",
        "a red ball",
        "rain",
    )
    assert (job.width, job.height, job.frames, job.fps) == (192, 128, 24, 12.0)
    assert (job.steps, job.guidance, job.seed) == (9, 4.5, 42)


def test_without_a_seed_each_take_gets_its_own(studio):
    for _ in range(4):
        studio.post("/studio/jobs/", GOOD)
    seeds = set(Job.objects.values_list("seed", flat=True))
    assert len(seeds) == 4


def test_more_takes_than_may_wait_are_refused_with_a_sentence_and_the_form_kept(studio, settings):
    settings.MAX_QUEUED = 2
    for _ in range(2):
        assert studio.post("/studio/jobs/", GOOD).status_code == 302
    answer = studio.post("/studio/jobs/", GOOD | {"prompt": "one too many"})
    assert answer.status_code == 429
    assert "You have 2 takes waiting, which is the most. Let some finish first." in answer.text
    assert answer.context["form"]["prompt"].value() == "one too many"
    assert Job.objects.count() == 2


def test_each_page_offers_a_form_of_its_own(studio):
    keys = {re.search('name="form_key" value="([^"]+)"', studio.get("/studio/").text)[1] for _ in range(3)}
    assert len(keys) == 3


def test_the_studio_is_for_members(login, artist):
    from accounts.models import User

    outsider = User.objects.create_user("no-member@example.com", factories.PASSWORD, name="Nobody")
    for answer in (login(outsider).get("/studio/"), login(outsider).post("/studio/jobs/", GOOD)):
        assert answer.status_code == 403
        assert "The studio is for members of the program." in answer.text
    assert login().get("/studio/").url == "/accounts/login/?next=/studio/"
    assert not Job.objects.exists()


# --- The recipe again ---------------------------------------------------------------------------


def test_a_recipe_used_again_gives_the_same_recipe(studio, artist):
    told = GOOD | {
        "negative_prompt": "rain",
        "aspect": "3:2",
        "duration": "2",
        "steps": "9",
        "guidance": "4.5",
        "seed": "42",
    }
    studio.post("/studio/jobs/", told)
    first = Job.objects.get()
    form = studio.get(f"/studio/?from={first.pk}").context["form"]
    shown = {name: form[name].value() for name in form.fields}
    again = {name: value for name, value in shown.items() if value is not None}
    studio.post("/studio/jobs/", again)
    second = Job.objects.exclude(pk=first.pk).get()
    assert second.recipe == first.recipe


def test_somebody_else_s_recipe_is_not_found(studio):
    theirs = factories.job(factories.member(), "their own words")
    answer = studio.get(f"/studio/?from={theirs.pk}")
    assert answer.status_code == 404
    assert "their own words" not in answer.text


def test_the_form_shows_what_the_chosen_model_offers(studio, tmp_path, monkeypatch):
    """Sizes, lengths in their order with the model's own first choice ticked, and the limits of the numbers."""
    here = {}
    for model in (entries.WAN_TI2V, entries.LTX):
        (tmp_path / model.id).mkdir()
        (tmp_path / model.id / weights.INDEX).write_text("{}")
        weights.pin(tmp_path / model.id, model.hub)
        here[model.id] = replace(model, weights=tmp_path / model.id)
    monkeypatch.setattr(catalog, "CATALOG", here)

    def choices():
        form = studio.get("/studio/").context["form"]
        radios = {name: form[name].field.choices for name in ("model", "aspect", "duration")}
        ticked = [str(form[name].value()) for name in ("model", "aspect", "duration", "steps", "guidance")]
        return {name: [label for _value, label in labels] for name, labels in radios.items()}, ticked

    assert choices() == (
        {
            "model": ["Wan 2.2 (5B)", "LTX-Video (2B)"],
            "aspect": ["Wide, 1280 × 704", "Tall, 704 × 1280"],
            "duration": ["2 s", "3 s", "5 s"],
        },
        ["wan-2.2-5b", "16:9", "5", "50", "5.0"],
    )
    studio.post("/studio/draft/", {"model": "ltx-video", "prompt": "kept"})
    assert choices() == (
        {
            "model": ["Wan 2.2 (5B)", "LTX-Video (2B)"],
            "aspect": ["Wide, 768 × 512", "Tall, 512 × 768", "Wide, 1216 × 704", "Tall, 704 × 1216"],
            "duration": ["3 s", "5 s", "10 s"],
        },
        ["ltx-video", "3:2", "5", "50", "3.0"],
    )
    refused = studio.post("/studio/jobs/", {"prompt": "a boat", "model": "ltx-video", "steps": "81"})
    assert "Steps must be a whole number from 4 to 80, not 81." in refused.text
    assert studio.post("/studio/jobs/", {"prompt": "a boat", "model": "ltx-video"}).status_code == 302
    job = Job.objects.get()
    assert (job.width, job.height, job.frames, job.fps, job.steps) == (768, 512, 121, 24.0, 50)


def test_a_recipe_whose_model_is_gone_still_fills_the_form(studio, artist):
    job = factories.job(artist, "an old take")
    Job.objects.filter(pk=job.pk).update(model="withdrawn", frames=999)
    answer = studio.get(f"/studio/?from={job.pk}")
    assert answer.status_code == 200
    assert answer.context["form"]["prompt"].value() == "an old take"
    assert studio.get(f"/studio/jobs/{job.pk}/").status_code == 200


# --- The list -----------------------------------------------------------------------------------


def test_takes_come_newest_first_and_each_once_over_all_pages(studio, artist, settings):
    settings.MAX_QUEUED = 100
    jobs = [factories.job(artist) for _ in range(2 * PAGE + 3)]
    start = timezone.now()
    for number, job in enumerate(jobs):  # in pairs of the same moment, so that the key has to tell them apart
        Job.objects.filter(pk=job.pk).update(created_at=start + timedelta(seconds=number // 2))
    seen, url, sizes = [], "/studio/", []
    while url:
        page = studio.get(url)
        seen += takes_on(page)
        sizes.append(len(takes_on(page)))
        url = page.context["older"] and f"/studio/{page.context['older']}"
    assert sizes == [PAGE, PAGE, 3]
    expected = Job.objects.order_by("-created_at", "-pk").values_list("pk", flat=True)
    assert seen == list(expected)


def test_a_new_take_does_not_shift_the_older_pages(studio, artist, settings):
    settings.MAX_QUEUED = 100
    for _ in range(PAGE + 2):
        factories.job(artist)
    older = studio.get("/studio/").context["older"]
    before = takes_on(studio.get(f"/studio/{older}"))
    factories.job(artist)
    assert takes_on(studio.get(f"/studio/{older}")) == before
    assert len(before) == 2


def test_somebody_else_s_take_is_no_place_to_go_on_from(studio, artist):
    mine, theirs = factories.job(artist), factories.job(factories.member())
    assert takes_on(studio.get(f"/studio/?after={theirs.pk}")) == [mine.pk]


def test_one_sees_one_s_own_takes_only(studio, artist):
    factories.job(factories.member(), "their own words")
    mine = factories.job(artist, "my own words")
    page = studio.get("/studio/")
    assert takes_on(page) == [mine.pk]
    assert "their own words" not in page.text


def test_takes_of_every_state_stand_beside_each_other(studio, artist):
    made = in_every_state(artist)
    page = studio.get("/studio/")
    assert page.status_code == 200
    assert set(takes_on(page)) == {job.pk for job in made.values()}
    for job in made.values():
        assert job.prompt in page.text


def test_a_card_is_scrubbed_through_only_where_its_clip_has_a_sprite(studio, artist, settings):
    of_today = factories.clip(artist, sprite=b"moments side by side")
    factories.clip(artist)  # of an earlier version
    for page in (studio.get("/studio/"), studio.get(f"/studio/?after={factories.job(artist).pk}")):
        assert re.findall('data-sprite="([^"]*)" data-moments="([^"]*)"', page.text) == [
            (f"/studio/clips/{of_today.pk}/sprite.jpg", "12")
        ]


def test_an_empty_studio_says_what_to_do(studio):
    page = studio.get("/studio/")
    assert "No takes yet" in page.text
    assert takes_on(page) == []


# --- One job ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["queued", "running", "succeeded", "failed", "cancelled"])
def test_a_job_s_page_its_fragment_and_its_status_tell_the_same(studio, artist, state):
    job = in_every_state(artist)[state]
    url = f"/studio/jobs/{job.pk}/"
    page = studio.get(url)
    fragment = studio.get(url, headers={"HX-Request": "true"})
    status = studio.get(f"{url}status.json").json()
    assert page.status_code == 200
    assert "<html" in page.text
    over = state in ("succeeded", "failed", "cancelled")
    assert fragment.status_code == (286 if over else 200)
    assert "<html" not in fragment.text
    assert (f'hx-get="{url}"' in fragment.text) is not over
    assert "no-store" in page["Cache-Control"]
    assert "no-store" in fragment["Cache-Control"]
    assert set(status) == {
        "status", "progress", "step", "steps", "stage", "queue_position", "eta_seconds", "preview", "error", "clip"
    }  # fmt: skip
    assert status["status"] == state
    assert status["error"] == ("It couldn't be drawn." if state == "failed" else None)
    assert status["clip"] == (f"/studio/clips/{job.clip.pk}/" if state == "succeeded" else None)
    assert status["queue_position"] == (1 if state == "queued" else None)
    assert status["progress"] == {"succeeded": 1.0, "running": 0.375}.get(state, 0.0)
    assert (status["step"], status["steps"]) == ({"succeeded": 8, "running": 3}.get(state, 0), 8)
    assert status["stage"] == ("denoising" if state == "running" else None)
    if state == "failed":
        assert "It couldn&#x27;t be drawn." in page.text
        assert "It couldn&#x27;t be drawn." in fragment.text


def test_a_page_tells_the_place_in_line(studio, artist):
    for _ in range(2):
        other = factories.member()
        factories.job(other)
        Job.objects.filter(owner=other).update(created_at=timezone.now() - timedelta(hours=1))
    job = factories.job(artist)
    place = outlook.position(job)
    text = studio.get(f"/studio/jobs/{job.pk}/").text
    assert ("Next in line" if place == 1 else f"Number {place} in line") in text


def test_a_job_put_back_after_a_lapse_says_that_it_starts_again(studio, artist):
    job = factories.job(artist)
    attempt = factories.claim_of(job)
    Attempt.objects.filter(pk=attempt.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    queue.put_back_lapsed()
    assert "The last try broke off. It starts again by itself." in studio.get(f"/studio/jobs/{job.pk}/").text


def test_cancelling_twice_does_no_harm(studio, artist):
    job = factories.job(artist)
    for _ in range(2):
        answer = studio.post(f"/studio/jobs/{job.pk}/cancellation/")
        assert (answer.status_code, answer.url) == (302, f"/studio/jobs/{job.pk}/")
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_cancelling_what_is_ready_keeps_the_clip(studio, artist):
    clip = factories.clip(artist)
    studio.post(f"/studio/jobs/{clip.job_id}/cancellation/")
    assert studio.get(f"/studio/jobs/{clip.job_id}/status.json").json()["status"] == "succeeded"
    assert studio.get(f"/studio/clips/{clip.pk}/").status_code == 200


def test_no_address_of_the_studio_can_be_counted_through(artist):
    for _ in range(3):
        factories.clip(artist)
    for numbers in (Job.objects.values_list("pk", flat=True), artist.clips.values_list("pk", flat=True)):
        assert all(pk.version == 4 for pk in numbers)


def test_what_was_drawn_before_is_shown_to_nobody_else(login):
    """Cards and fields are drawn once in each process; whose they are is asked each time."""
    owner, other = factories.member(), factories.member()
    clip = factories.clip(owner, "a prompt of the owner's own")
    client = login(owner)
    client.post("/studio/draft/", {"prompt": "a draft of the owner's own"})
    for _time in range(2):
        page = client.get("/studio/").text
        assert "a prompt of the owner&#x27;s own" in page
        assert "a draft of the owner&#x27;s own" in page
        assert f"/studio/clips/{clip.pk}/" in page
    page = login(other).get("/studio/").text
    assert "of the owner" not in page
    assert str(clip.pk) not in page


def test_a_drawn_card_changes_with_its_take(login):
    owner = factories.member()
    job = factories.job(owner, "a prompt")
    client = login(owner)
    assert "In the queue" in client.get("/studio/").text
    attempt = factories.claim_of(job)
    queue.renew(attempt, stage="denoising", step=3)
    assert 'value="3"' in client.get("/studio/").text
    queue.cancel(job, by=owner)
    assert "Cancelled" in client.get("/studio/").text
