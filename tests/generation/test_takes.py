"""Takes of one click, the seed that stays, what it costs, and the form that is kept."""

import uuid

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import AllowanceEntry, allowance, pause
from generation import drafts, queue, takes
from generation.models import Attempt, Job
from tests import factories

pytestmark = pytest.mark.django_db

GOOD = {"prompt": "a red ball", "model": "testcard", "aspect": "1:1", "duration": "1"}


@pytest.fixture
def studio(login, artist):
    return login(artist)


def limited(member, seconds: int):
    cohort = member.membership.cohort
    cohort.allowance = seconds
    cohort.save()
    allowance.grant(member.membership, seconds, by=None)


def form_of(page) -> dict:
    form = page.context["form"]
    return {name: form[name].value() for name in form.fields}


# --- Takes ------------------------------------------------------------------------------------------


def test_four_takes_of_one_click_lead_to_the_first_and_show_each_other(studio):
    answer = studio.post("/studio/jobs/", GOOD | {"takes": "4", "seed": "9"})
    jobs = list(Job.objects.order_by("created_at"))
    assert [job.seed for job in jobs] == [9, 10, 11, 12]
    assert answer.url == f"/studio/jobs/{jobs[0].pk}/"
    page = studio.get(f"/studio/jobs/{jobs[2].pk}/")
    assert page.context["takes"] == jobs
    assert [f'href="/studio/jobs/{job.pk}/"' in page.text for job in jobs] == [True] * 4
    assert page.text.count('aria-current="page"') == 1


def test_a_take_that_was_alone_shows_no_others(studio, artist):
    job = factories.job(artist)
    factories.job(artist)
    page = studio.get(f"/studio/jobs/{job.pk}/")
    assert (page.context["takes"], "takes-strip" in page.text) == ([], False)


def test_the_strip_asks_for_itself_until_all_are_over(studio, artist):
    studio.post("/studio/jobs/", GOOD | {"takes": "2"})
    first, second = Job.objects.order_by("created_at")
    strip = {"HX-Request": "true", "HX-Target": "takes-strip"}
    asked = studio.get(f"/studio/jobs/{first.pk}/", headers=strip)
    assert "<html" not in asked.text
    assert "job-stage" not in asked.text
    assert "hx-get" in asked.text
    for job in (first, second):
        queue.cancel(job, by=artist)
    assert "hx-get" not in studio.get(f"/studio/jobs/{first.pk}/", headers=strip).text


@pytest.mark.parametrize("takes", ["0", "5", "-1", "many", "1.5", "9" * 5000])
def test_a_number_of_takes_that_is_not_offered_is_refused(studio, takes):
    answer = studio.post("/studio/jobs/", GOOD | {"takes": takes})
    assert answer.status_code == 422
    assert not Job.objects.exists()


def test_a_double_click_on_four_takes_makes_four(studio):
    form = GOOD | {"takes": "4", "form_key": str(uuid.uuid4())}
    first, second = studio.post("/studio/jobs/", form), studio.post("/studio/jobs/", form)
    assert first.url == second.url
    assert Job.objects.count() == 4
    studio.post("/studio/jobs/", form | {"takes": "3"})
    assert Job.objects.count() == 7


def test_a_form_found_again_after_its_first_take_was_deleted_leads_to_those_that_are_left(studio, artist):
    form = GOOD | {"takes": "3", "form_key": str(uuid.uuid4())}
    studio.post("/studio/jobs/", form)
    first, second, _third = Job.objects.order_by("created_at")
    queue.cancel(first, by=artist)
    takes.remove(first, by=artist)
    assert studio.post("/studio/jobs/", form).url == f"/studio/jobs/{second.pk}/"
    assert Job.objects.count() == 2


@pytest.mark.parametrize(
    "limit,status,words",
    [
        ("queue", 429, "Your queue has room for 2 of these 4 takes."),
        ("allowance", 409, "4 takes need about 4 GPU seconds and you have 2 left, enough for 2."),
        (
            "pause",
            503,
            "The program is paused: no takes are accepted right now. Your words are kept. New cards.",
        ),
    ],
)
def test_takes_beyond_a_limit_come_back_with_a_sentence_and_the_form_kept(
    studio, artist, settings, limit, status, words
):
    settings.MAX_QUEUED = 2 if limit == "queue" else 20
    if limit == "allowance":
        limited(artist, 2)
    if limit == "pause":
        pause.pause(by=None, reason="New cards.")
    sent = GOOD | {"takes": "4", "seed": "7", "prompt": "words not to lose"}
    answer = studio.post("/studio/jobs/", sent)
    assert (answer.status_code, words in answer.text) == (status, True)
    assert {name: form_of(answer)[name] for name in sent} == sent
    assert not Job.objects.exists()
    assert not AllowanceEntry.objects.exclude(job=None).exists()
    assert form_of(studio.get("/studio/"))["prompt"] == "words not to lose"


def test_a_model_that_the_cohort_does_not_use_is_neither_offered_nor_taken(studio, artist):
    cohort = artist.membership.cohort
    cohort.model_ids = ["embedded"]
    cohort.save()
    offered = studio.get("/studio/").context["form"].fields["model"].choices
    assert [model for model, _name in offered] == ["embedded"]
    assert studio.post("/studio/jobs/", GOOD).status_code == 422
    cohort.model_ids = ["nothing-that-is-here"]
    cohort.save()
    page = studio.get("/studio/")
    assert "No model is offered" in page.text
    assert studio.post("/studio/jobs/", GOOD).status_code == 422
    assert not Job.objects.exists()


# --- The seed and the recipe ------------------------------------------------------------------------


def test_a_kept_seed_waits_in_the_next_form_and_another_does_not(studio):
    studio.post("/studio/jobs/", GOOD | {"keep_seed": "on"})
    drawn = Job.objects.get().seed
    form = form_of(studio.get("/studio/"))
    assert (form["seed"], bool(form["keep_seed"])) == (str(drawn), True)
    assert form["prompt"] is None
    studio.post("/studio/jobs/", GOOD | {"seed": form["seed"], "prompt": "a blue ball"})
    assert Job.objects.get(prompt="a blue ball").seed == drawn
    form = form_of(studio.get("/studio/"))
    assert (form["seed"], bool(form["keep_seed"])) == (None, False)


def test_the_same_recipe_with_a_new_seed_is_all_but_the_seed(studio, artist):
    clip = factories.clip(artist, "the same words")
    again = form_of(studio.get(f"/studio/?from={clip.job_id}&seed=new"))
    assert (again["prompt"], again["seed"]) == ("the same words", None)
    assert form_of(studio.get(f"/studio/?from={clip.job_id}"))["seed"] == clip.job.seed
    for page in (f"/studio/clips/{clip.pk}/", f"/studio/jobs/{clip.job_id}/"):
        assert f"/studio/?from={clip.job_id}&amp;seed=new" in studio.get(page).text


# --- What it costs ----------------------------------------------------------------------------------


def test_the_studio_tells_the_price_and_what_is_left(studio, artist):
    limited(artist, 100)
    page = studio.get("/studio/")
    assert (page.context["panel"].price, page.context["left"]) == (4, 100)  # of the model that comes first
    assert "You have 100 s left." in page.text
    dear = GOOD | {"prompt": "", "steps": "50", "aspect": "3:2", "duration": "2", "takes": "3"}
    assert (
        studio.post("/studio/jobs/", dear).context["panel"].price == 9
    )  # refused for its prompt, and priced
    studio.post("/studio/jobs/", dear | {"prompt": "a red ball"})
    assert studio.get("/studio/").context["left"] == 91
    assert "That is not enough." in page.text
    assert "data-too-much hidden" in page.text


@pytest.mark.parametrize("steps", ["", "0", "51", "-3", "many", "²", "9" * 5000])
def test_a_setting_that_is_none_is_priced_as_the_model_s_own(studio, steps):
    answer = studio.post("/studio/jobs/", GOOD | {"prompt": "", "steps": steps, "aspect": "x", "takes": "y"})
    assert (answer.status_code, answer.context["panel"].price) == (422, 1)


def test_without_a_limit_nothing_is_said_of_one(studio):
    page = studio.get("/studio/")
    assert page.context["left"] is None
    assert "left." not in page.text


def test_an_allowance_that_is_spent_is_said_before_anybody_writes(studio, artist):
    limited(artist, 1)
    factories.job(artist)
    page = studio.get("/studio/")
    assert page.context["left"] == 0
    assert "You have no GPU seconds left." in page.text


def test_a_pause_is_said_in_the_studio_and_on_the_page_of_what_waits(studio, artist):
    job = factories.job(artist)
    pause.pause(by=None, reason="A new graphics card goes in.")
    page = studio.get("/studio/")
    assert "The program is paused." in page.text
    assert "A new graphics card goes in." in page.text
    assert "Your take keeps its place" in studio.get(f"/studio/jobs/{job.pk}/").text
    pause.resume(by=None)
    assert "The program is paused." not in studio.get("/studio/").text


def test_the_studio_costs_four_queries_with_and_without_takes(studio, artist, settings):
    """Session, member, takes with their clips and open attempts, what became of the clips."""
    settings.MAX_QUEUED = 50
    studio.get("/studio/")

    def cost() -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            page = studio.get("/studio/")
        assert page.status_code == 200
        return [query["sql"] for query in queries]

    assert len(cost()) == 3
    limited(artist, 1000)
    factories.submission(artist=artist)
    running = factories.job(artist)
    queue.renew(factories.claim_of(running), stage="denoising", step=3)
    assert len(cost()) == 4, cost()
    queue.cancel(running, by=artist)
    for number in range(30):
        factories.submission(artist=artist) if number % 10 == 0 else factories.clip(artist)
    queue.renew(factories.claim_of(factories.job(artist)), stage="denoising", step=3, preview=b"JPEG")
    for _ in range(15):
        factories.job(artist)
    assert len(cost()) == 4, cost()
    assert "preview" not in "".join(cost())  # its bytes stay where they are


def test_a_running_take_shows_its_step_in_the_list(studio, artist):
    job = factories.job(artist)
    lapsed = factories.claim_of(job)
    queue.give_up(lapsed, retry=True)
    queue.renew(factories.claim_of(job), stage="denoising", step=3)
    assert Attempt.objects.count() == 2
    (take,) = studio.get("/studio/").context["takes"]
    assert (take.pk, take.step) == (job.pk, 3)


# --- Drafts -----------------------------------------------------------------------------------------


def test_the_form_is_found_as_it_was_also_after_the_session_ended(studio, login, artist):
    written = GOOD | {
        "prompt": "half a thou",
        "aspect": "3:2",
        "takes": "3",
        "steps": "wrong",
        "keep_seed": "on",
    }
    assert studio.post("/studio/draft/", written).status_code == 204
    studio.session.flush()
    assert studio.get("/studio/").url == "/accounts/login/?next=/studio/"
    form = form_of(login(artist).get("/studio/"))
    assert {name: form[name] for name in written} == written
    assert "half a thou" not in login(factories.member()).get("/studio/").text


def test_a_sent_form_leaves_no_draft_even_if_its_page_reports_late(studio, artist):
    form = GOOD | {"form_key": str(uuid.uuid4())}
    studio.post("/studio/draft/", form)
    studio.post("/studio/jobs/", form)
    studio.post("/studio/draft/", form)
    assert drafts.of(artist) == {}
    studio.post("/studio/draft/", GOOD | {"form_key": str(uuid.uuid4())})
    assert drafts.of(artist)["prompt"] == GOOD["prompt"]


def test_a_draft_is_gone_after_logging_out(studio, login, artist):
    studio.post("/studio/draft/", GOOD | {"prompt": "not for the next one here"})
    studio.post("/accounts/logout/")
    assert drafts.of(artist) == {}
    assert "not for the next one here" not in login(artist).get("/studio/").text


def test_a_recipe_asked_for_stands_before_a_draft(studio, artist):
    job = factories.job(artist, "asked for")
    studio.post("/studio/draft/", GOOD | {"prompt": "a draft"})
    assert form_of(studio.get(f"/studio/?from={job.pk}"))["prompt"] == "asked for"
    assert form_of(studio.get("/studio/"))["prompt"] == "a draft"


@pytest.mark.parametrize("told", [{}, {"prompt": "\0" * 9000, "form_key": "\0 x" * 99, "more": "y"}])
def test_a_draft_may_be_anything_and_is_cut_to_what_could_be_sent(studio, artist, told):
    assert studio.post("/studio/draft/", told).status_code == 204
    assert set(drafts.of(artist)) <= set(drafts.FIELDS)
    assert all(len(value) <= drafts.LONGEST for value in drafts.of(artist).values())
    assert studio.get("/studio/").status_code == 200


def test_without_a_cache_the_studio_works_and_only_forgets(studio, monkeypatch, caplog):
    for act in ("get", "set", "add", "delete"):
        monkeypatch.setattr(type(cache._connections["default"]), act, _broken)
    assert studio.get("/studio/").status_code == 200
    assert studio.post("/studio/draft/", GOOD).status_code == 204
    answer = studio.post("/studio/jobs/", GOOD)
    assert answer.url == f"/studio/jobs/{Job.objects.get().pk}/"
    assert "the pace of prompts could not be counted: ConnectionError" in caplog.text
    assert GOOD["prompt"] not in caplog.text
    assert studio.get(answer.url).status_code == 200


def _broken(*_args, **_kwargs):
    raise ConnectionError("the cache is away")


def test_a_login_asked_for_by_a_sent_form_leads_to_the_studio(studio, login, artist):
    studio.session.flush()
    assert studio.post("/studio/jobs/", GOOD).url == "/accounts/login/?next=/studio/jobs/"
    assert login(artist).get("/studio/jobs/").url == "/studio/"
