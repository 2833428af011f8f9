"""Rules about words: what they stop and when, that a stopped take costs nothing, and how somebody gets past one."""

from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Notice, allowance, exclusion
from generation import attempts, queue, rules
from generation.models import Job, RuleAnswer, RuleBlock, RuleObjection, WordRule
from tests import factories

pytestmark = pytest.mark.django_db
TAKE = {"prompt": "a forbidden word", "model": "testcard", "aspect": "1:1", "duration": "1"}
WHY = "Say why: the artist reads it."


@pytest.fixture
def forbidden(admin):
    return factories.word_rule("forbidden", by=admin, sentence="That isn't made here.")


def send(client, **changes):
    return client.post("/studio/jobs/", TAKE | changes)


# --- Before a take is accepted -------------------------------------------------------------------------


def test_a_blocked_prompt_is_no_take_and_says_why(login, artist, forbidden):
    client = login(artist)
    page = send(client)
    assert page.status_code == 422
    assert "That isn&#x27;t made here." in page.text
    assert "a forbidden word" in page.context["form"]["prompt"].value(), "the form stays filled"
    assert "Object to it" in page.text
    assert not Job.objects.exists()
    block = RuleBlock.objects.get()
    assert (block.rule, block.owner, block.place, block.job) == (forbidden, artist, "prompt", None)
    assert "a forbidden word" in client.get("/studio/").text, "kept as a draft"


@pytest.mark.parametrize(
    "words", ["a FORBIDDEN word", "a f o r b i d d e n word", "a f\u043erbidd\u0435n word", "forb\u00edd-den"]
)
def test_spelling_it_otherwise_is_no_way_around(login, artist, forbidden, words):
    assert send(login(artist), prompt=words).status_code == 422


def test_it_looks_in_what_to_leave_out_too_where_it_is_told_to(login, artist, admin):
    factories.word_rule("forbidden", by=admin, looks_in=["negative_prompt"])
    assert send(login(artist)).status_code == 302
    assert send(login(artist), prompt="fine", negative_prompt="forbidden").status_code == 422


def test_a_rule_that_flags_and_one_that_has_ended_stop_nobody(login, artist, admin, forbidden):
    rules.end(forbidden, by=admin)
    factories.word_rule("word", by=admin, does="flag")
    assert send(login(artist)).status_code == 302


def test_a_blocked_prompt_costs_no_allowance(artist, forbidden):
    artist.membership.cohort.allowance = 100
    artist.membership.cohort.save()
    allowance.grant(artist.membership, 100, by=None)
    with pytest.raises(queue.Blocked, match="That isn't made here"):
        factories.job(artist, "a forbidden word")
    assert allowance.left(artist.membership) == 100


def test_asking_for_a_take_costs_one_query_for_however_many_rules(artist, admin):
    def cost():
        recipe = factories.recipe("fine")
        with CaptureQueriesContext(connection) as told:
            queue.enqueue(artist, recipe)
        return len(told)

    queue.enqueue(artist, factories.recipe("the first one"))
    none = cost()
    for number in range(12):
        factories.word_rule(f"word{number}", by=admin)
    assert cost() == none


# --- After it was accepted -----------------------------------------------------------------------------


def test_a_rule_that_comes_in_between_stops_a_take_before_its_first_step(login, artist, admin):
    artist.membership.cohort.allowance = 100
    artist.membership.cohort.save()
    allowance.grant(artist.membership, 100, by=None)
    waiting = factories.job(artist, "a forbidden word")
    assert allowance.left(artist.membership) < 100
    factories.word_rule("forbidden", by=admin, sentence="That isn't made here.")
    attempts.work("tests")
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts_made) == ("failed", 1), "and isn't tried again"
    assert "That isn't made here." in waiting.error
    attempt = waiting.attempts.get()
    assert (attempt.stage, attempt.step) == ("loading", 0)
    assert allowance.left(artist.membership) == 100
    assert RuleBlock.objects.get().job == waiting.pk
    page = login(artist).get(f"/studio/jobs/{waiting.pk}/")
    assert f"/studio/objections/?job={waiting.pk}" in page.text
    form = login(artist).get(f"/studio/objections/?job={waiting.pk}").text
    assert 'value="a forbidden word"' in form
    stranger = login(factories.member())
    assert "forbidden" not in stranger.get(f"/studio/objections/?job={waiting.pk}").text


def test_a_rule_that_was_there_before_is_not_asked_twice(artist, admin, forbidden):
    """What an upheld objection let through isn't stopped by the same rule again."""
    waiting = Job.objects.create(owner=artist, **factories.recipe("a forbidden word").to_json())
    assert rules.stop(waiting) == ""
    Job.objects.filter(pk=waiting.pk).update(created_at=timezone.now() - timedelta(hours=1))
    assert "Not here" not in rules.stop(Job.objects.get())
    assert "That isn't made here" in rules.stop(Job.objects.get())


# --- A title -------------------------------------------------------------------------------------------


def test_a_title_is_stopped_before_it_is_submitted_and_can_be_objected_to(login, artist, admin, forbidden):
    clip = factories.clip(artist)
    client, path = login(artist), f"/studio/clips/{clip.pk}/submissions/"
    words = {"title": "Forbidden fruit", "statement": "A statement."}
    page = client.post(path, words)
    assert page.status_code == 422
    assert "That isn&#x27;t made here." in page.text
    assert not clip.submissions.exists()
    sent = client.post("/studio/objections/", {"title": words["title"], "text": "It is from Genesis."})
    assert sent.status_code == 302
    rules.answer(RuleObjection.objects.get(), by=admin, is_upheld=True, text="So it is.")
    assert client.post(path, words).status_code == 302


# --- Objections ----------------------------------------------------------------------------------------


def test_an_upheld_objection_lets_these_words_of_this_member_pass_and_no_others(
    login, artist, admin, forbidden
):
    client, another = login(artist), login(factories.member())
    assert (
        client.post("/studio/objections/", {"prompt": TAKE["prompt"], "text": "It is a title."}).status_code
        == 302
    )
    objection = RuleObjection.objects.get()
    assert (
        Notice.objects.filter(user=admin, kind="rule-objection", path="/program/rules/objections/").count()
        == 1
    )
    office = login(admin)
    page = office.get("/program/rules/objections/")
    assert "a forbidden word" in page.text
    assert "It is a title." in page.text
    answered = office.post(
        f"/program/rules/objections/{objection.pk}/answer/",
        {f"{objection.pk}-outcome": "uphold", f"{objection.pk}-text": "You are right."},
    )
    assert answered.status_code == 302
    assert Notice.objects.filter(user=artist, kind="objection-answered").count() == 1
    assert "You are right." in client.get("/studio/objections/").text
    assert send(client).status_code == 302
    assert send(client, prompt="A  forbidden WORD").status_code == 302, "the same words"
    assert send(client, prompt="a forbidden word more").status_code == 422
    assert send(another).status_code == 422
    acts = list(
        AuditEntry.objects.filter(act__startswith="rule.").order_by("sequence").values_list("act", "words")
    )
    assert acts == [("rule.made", forbidden.name), ("rule.objected", ""), ("rule.upheld", "")]


def test_a_rule_made_after_the_answer_is_asked_anew(artist, admin, forbidden):
    rules.answer(factories.objection(owner=artist), by=admin, is_upheld=True, text="Yes.")
    assert rules.blocking(artist.pk, {"prompt": "a forbidden word"}) == []
    told = {"name": "N", "phrases": "forbidden", "looks_in": ["prompt"], "does": "block", "sentence": "Why."}
    newer = rules.save(by=admin, after=forbidden, **told)
    (hit,) = rules.blocking(artist.pk, {"prompt": "a forbidden word"})
    assert hit.rule == newer


def test_kept_to_the_rule_nothing_passes(login, artist, admin, forbidden):
    rules.answer(factories.objection(owner=artist), by=admin, is_upheld=False, text="No.")
    assert send(login(artist)).status_code == 422


def test_the_same_objection_twice_is_one_and_the_first_words_stay(login, artist, forbidden):
    client = login(artist)
    for text in ("First.", "Second."):
        client.post("/studio/objections/", {"prompt": TAKE["prompt"], "text": text})
    assert RuleObjection.objects.get().text == "First."


def test_words_that_no_rule_stops_need_no_objection(login, artist):
    page = login(artist).post("/studio/objections/", {"prompt": "fine", "text": "Why?"})
    assert page.status_code == 409
    assert "Just send them again." in page.text
    assert "Why?" in page.text, "the form stays filled"
    assert login(artist).post("/studio/objections/", {"prompt": "fine"}).status_code == 422


def test_nobody_answers_their_own_and_no_answer_is_written_over(login, artist, admin, forbidden):
    own = factories.objection(owner=admin)
    path = f"/program/rules/objections/{own.pk}/answer/"
    mine = {f"{own.pk}-outcome": "uphold", f"{own.pk}-text": "Sure."}
    assert login(admin).post(path, mine).status_code == 409
    other = factories.member("admin")
    assert login(other).post(path, mine).status_code == 302
    assert login(other).post(path, mine).status_code == 302, "a double click"
    assert login(other).post(path, mine | {f"{own.pk}-outcome": "keep"}).status_code == 409
    page = login(factories.member("admin")).post(path, mine | {f"{own.pk}-text": "Other words."})
    assert page.status_code == 409
    assert "Other words." in page.text
    assert RuleAnswer.objects.get().text == "Sure."
    assert login(other).post(path, {f"{own.pk}-outcome": "uphold"}).status_code == 422


# --- The admins' pages -----------------------------------------------------------------------------------

WRITTEN = {
    "name": "Weapons",
    "phrases": "gun\n ri*fle ",
    "looks_in": ["prompt"],
    "does": "block",
    "sentence": "Why.",
}


def test_a_rule_is_made_changed_and_ended_by_records(login, admin):
    client = login(admin)
    for _click in range(2):
        assert client.post("/program/rules/new/", WRITTEN).status_code == 302
    rule = WordRule.objects.get()
    assert (rule.phrases, rule.places, rule.version) == ("gun\nri*fle", ["prompt"], 1)
    assert client.post(f"/program/rules/{rule.pk}/", WRITTEN | {"phrases": "gun"}).status_code == 302
    assert client.post(f"/program/rules/{rule.pk}/", WRITTEN | {"phrases": "gun"}).status_code == 302, "twice"
    newer = WordRule.objects.get(version=2)
    assert newer.family == rule.family
    assert rules.in_force() == [newer]
    page = login(factories.member("admin")).post(f"/program/rules/{rule.pk}/", WRITTEN | {"phrases": "knife"})
    assert page.status_code == 409
    assert "another version" in page.text
    assert "knife" in page.text
    assert client.post(f"/program/rules/{rule.pk}/end/").status_code == 409, "an old version"
    for _click in range(2):
        assert client.post(f"/program/rules/{newer.pk}/end/").status_code == 302
    assert rules.in_force() == []
    assert client.post(f"/program/rules/{newer.pk}/", WRITTEN | {"phrases": "knife"}).status_code == 409
    acts = (
        AuditEntry.objects.filter(act__startswith="rule.").order_by("sequence").values_list("act", flat=True)
    )
    assert list(acts) == ["rule.made", "rule.changed", "rule.ended"]
    page = client.get("/program/rules/").text
    assert "Rules that have ended" in page


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"phrases": "*"}, "found everywhere or nowhere"),
        ({"phrases": "x" * 90}, "at most 80 characters"),
        ({"phrases": "\n".join(f"word{n}" for n in range(201))}, "at most 200 phrases"),
        ({"phrases": " "}, "at least one word"),
        ({"sentence": ""}, "the artist reads it instead"),
        ({"looks_in": []}, "Say where it looks"),
        ({"does": "approve"}, "not one of the available choices"),
    ],
)
def test_bad_input_is_said_and_kept(login, admin, changes, words):
    page = login(admin).post("/program/rules/new/", WRITTEN | changes)
    assert page.status_code == 422
    assert words in page.text
    assert page.context["form"]["name"].value() == "Weapons"
    assert not WordRule.objects.exists()


def test_trying_shows_words_and_not_whose_they_are_and_leaves_a_trace(login, artist, admin):
    factories.job(artist, "nobody may know that a gun lies on the table of my late grandmother")
    factories.job(artist, "a flower")
    page = login(admin).post("/program/rules/new/", WRITTEN | {"try": "1"})
    assert page.status_code == 200
    assert "may know that a gun lies on the table" in page.text
    assert "grandmother" not in page.text
    assert artist.name not in page.text
    assert "Found in 1 of the last 2 different prompts." in page.text
    assert not WordRule.objects.exists()
    assert AuditEntry.objects.get(act="rule.tried").by == admin


def test_acts_on_rules_ask_again_who_is_there(login, admin, settings, forbidden):
    settings.REQUIRE_MFA = True
    assert django_settings.REQUIRE_MFA
    client = login(admin)
    own = factories.objection()
    for path in ("new/", f"{forbidden.pk}/", f"{forbidden.pk}/end/", f"objections/{own.pk}/answer/"):
        # Led to setting up a second factor, or asked for it: in no case done.
        assert client.post(f"/program/rules/{path}", WRITTEN).status_code in (302, 403)
    assert WordRule.objects.count() == 1
    assert rules.in_force() == [forbidden]


def test_who_is_no_admin_any_more_makes_no_rule(admin):
    factories.member("admin")
    exclusion.suspend(admin.membership, by=None, reason="A reason.")
    with pytest.raises(exclusion.Impossible):
        factories.word_rule("word", by=admin)


def test_the_pages_cost_the_same_with_1_and_with_12(login, artist, admin):
    client = login(admin)

    def cost(path):
        client.get(path)
        with CaptureQueriesContext(connection) as told:
            assert client.get(path).status_code == 200
        return len(told)

    factories.word_rule("forbidden", by=admin)
    factories.objection()
    paths = ("/program/rules/", "/program/rules/objections/")
    one = [cost(path) for path in paths]
    for number in range(11):
        factories.word_rule(f"word{number}", by=admin)
        factories.objection(f"a forbidden word {number}", owner=artist)
    assert [cost(path) for path in paths] == one
