"""A field of the prompt form that makes no sense is refused in a sentence, and all that was typed comes back."""

import pytest

from generation.engine import catalog
from generation.models import Job

from .forms import GOOD, refused, sentence_of

pytestmark = pytest.mark.django_db


# --- Words ----


def test_a_prompt_a_little_too_long_comes_back_whole(studio):
    words = "é" * (catalog.PROMPT_LIMIT + 1)
    answer = refused(studio, prompt=words)
    assert "2000" in sentence_of(answer).replace(",", "")
    assert words in answer.text
    assert studio.post("/studio/jobs/", GOOD | {"prompt": words[:-1]}).status_code == 302


def test_a_nul_in_any_field_is_refused(studio):
    for field in ("prompt", "negative_prompt", "model", "aspect", "duration", "steps", "guidance", "seed"):
        for value in ("\0", "a\0b"):
            refused(studio, **{field: value})


def test_a_nul_in_the_form_s_key_is_refused_or_ignored(studio):
    answer = studio.post("/studio/jobs/", GOOD | {"form_key": "\0"})
    assert answer.status_code in (302, 422)


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
    for value in ("0", "-1", "3", "1e9", "nan", "inf", "1.0000001", "9" * 5000, "\0"):
        assert set(refused(studio, duration=value).context["form"].errors) == {"duration"}


def test_a_size_that_is_not_offered_is_refused_by_name(studio):
    for value in ("0:0", "1:0", "9999:1", "16:9:1", "one", "-1:1"):
        assert set(refused(studio, aspect=value).context["form"].errors) == {"aspect"}


@pytest.mark.parametrize("value", ["nope", "TESTCARD", "../embedded", "embedded\n", "0", "\u202etestcard"])
def test_an_unknown_model_is_refused_in_words_that_are_seen(studio, value):
    """Also where one model is offered, so that the field isn't shown at all."""
    answer = refused(studio, model=value)
    said = sentence_of(answer)
    assert "odel" in said or "valid choice" in said
    shown = answer.text
    errors = [str(error) for errors in answer.context["form"].errors.values() for error in errors]
    assert all(error.replace("'", "&#x27;") in shown for error in errors)


def test_a_prompt_left_out_is_asked_for(studio):
    answer = studio.post("/studio/jobs/", {name: value for name, value in GOOD.items() if name != "prompt"})
    assert answer.status_code == 422
    assert sentence_of(answer)


def test_a_prompt_alone_takes_the_default_model_and_its_own_settings(studio):
    assert studio.post("/studio/jobs/", {"prompt": "a test card"}).status_code == 302
    recipe = Job.objects.get().recipe
    model = catalog.offered()[0]
    assert (recipe.model, recipe.width, recipe.steps) == (model.id, model.sizes[0].width, model.steps.default)


def test_numbers_left_empty_take_the_models_own(studio):
    assert studio.post("/studio/jobs/", GOOD | {"steps": "", "guidance": "", "seed": ""}).status_code == 302
    job = Job.objects.get()
    assert (job.steps, job.guidance) == (8, 3.0)
    assert 0 <= job.seed < 2**32


def test_a_field_sent_many_times_counts_once(studio):
    answer = studio.post("/studio/jobs/", GOOD | {"prompt": ["one", "two"], "steps": ["3", "4"]})
    assert answer.status_code == 302
    assert (Job.objects.get().prompt, Job.objects.get().steps) == ("two", 4)
