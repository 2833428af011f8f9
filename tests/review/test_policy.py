"""The policy as versions: who makes one, what is refused, what the public reads, and what a decision goes on saying."""

import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import override

from accounts.models import AuditEntry, exclusion
from review import differences, gate, policy, queue
from review.clauses import FIRST, MOST, Clause, Policy
from review.models import Decision, PolicyVersion
from review.permissions import Conflict, NotAllowed
from tests import factories

pytestmark = pytest.mark.django_db
NOTE = "Please send it without the logo, then it is fine."
PAGE = "/program/policy/"


def filled(client) -> dict:
    """The form as the page gives it."""
    page = client.get(PAGE)
    formset, summary = page.context["clauses"], page.context["form"]
    data = {"shown": summary["shown"].value(), "summary": "Clearer words."}
    fields = [field for form in formset for field in form]
    fields += list(formset.management_form)
    return data | {field.html_name: field.value() for field in fields if field.value() not in (None, False)}


@pytest.fixture
def editor(login, admin):
    return login(admin)


def test_the_first_version_needs_no_row_and_no_query(django_assert_num_queries):
    assert policy.current() == FIRST
    with django_assert_num_queries(0):
        assert [clause.code for clause in policy.clauses(["hate", "rights"], version="2026-11")] == [
            "rights",
            "hate",
        ]
    assert policy.clauses(["nothing", "hate"]) == [FIRST.clauses[5]]


def test_an_admin_makes_a_version_and_it_holds_at_once(editor, admin, login):
    data = filled(editor) | {"clause-0-text": "Other words.", "clause-3-DELETE": "on"}
    data |= {"clause-9-code": "spam", "clause-9-title": "Spam", "clause-9-text": "The clip sells something."}
    made = editor.post(PAGE, data)
    version = PolicyVersion.objects.get()
    assert made.url == f"/policy/{version.name}/"
    held = policy.current()
    assert [clause.code for clause in held.clauses] == [
        *(c for c in [each.code for each in FIRST.clauses] if c != "sexual"),
        "spam",
    ]
    assert (version.number, version.by, version.summary) == (2, admin, "Clearer words.")
    entry = AuditEntry.objects.order_by("sequence").last()
    assert (entry.act, entry.by, entry.subject) == ("policy.changed", admin, "policyversion:2")
    page = login().get("/policy/").content.decode()
    assert "Other words." in page
    assert "The clip sells something." in page
    assert "Sexual content" not in page


def test_a_second_version_in_a_month_has_a_name_of_its_own():
    month = f"{timezone.now():%Y-%m}"
    names = [factories.policy_version().name for _ in range(3)]
    first = [month] if month != FIRST.name else []
    assert names == [*first, *(f"{month}-{n}" for n in (2, 3, 4))][:3]


def test_clauses_stand_in_the_order_that_the_admin_gives_them(editor):
    editor.post(PAGE, filled(editor) | {"clause-8-ORDER": "0"})
    assert policy.current().clauses[0].code == "broken"


@pytest.mark.parametrize(
    "changes, sentence",
    [
        ({f"clause-{n}-DELETE": "on" for n in range(9)}, "at least one clause"),
        ({"clause-1-code": "rights"}, "Another clause has this code already"),
        ({"clause-1-text": "  "}, "Say what the clause refuses, or retire it"),
        ({"clause-1-text": "\u200b"}, "letter or sign that can be seen"),
        ({"clause-1-title": ""}, "Give it a title"),
        ({"clause-9-text": "A text alone."}, "Give it a code"),
        ({"clause-1-code": "Two words"}, "A code begins with a small letter"),
        ({"clause-1-code": "x" * 20}, "at most 19 characters"),
        ({"clause-1-text": "x" * 1001}, "at most 1000 characters"),
        ({}, "Nothing is different from version 2026-11"),
        ({"summary": ""}, "Say what changes"),
    ],
)
def test_bad_input_makes_no_version_and_keeps_the_form_filled(editor, changes, sentence):
    kept = {"clause-2-text": "Words that took an hour."} if changes else {}
    answer = editor.post(PAGE, filled(editor) | kept | changes)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert all(words in page for words in kept.values())
    assert not PolicyVersion.objects.exists()


def test_a_form_without_its_counts_or_with_too_many_is_refused(editor):
    assert editor.post(PAGE, {"shown": FIRST.name, "summary": "x"}).status_code == 422
    many = filled(editor) | {"clause-TOTAL_FORMS": "9999"}
    assert editor.post(PAGE, many).status_code == 422
    data = filled(editor) | {"clause-TOTAL_FORMS": str(MOST + 1)}
    for n in range(9, MOST + 1):
        data |= {f"clause-{n}-code": f"new-{n}", f"clause-{n}-title": "New", f"clause-{n}-text": "New."}
    answer = editor.post(PAGE, data)
    assert answer.status_code == 422
    assert "at most 20 clauses" in answer.content.decode()
    assert not PolicyVersion.objects.exists()


def test_a_double_click_makes_one_version(editor):
    data = filled(editor) | {"clause-0-text": "Other words."}
    first, second = editor.post(PAGE, data), editor.post(PAGE, data)
    assert (first.url, second.url) == (f"/policy/{policy.current().name}/",) * 2
    assert PolicyVersion.objects.count() == 1


def test_of_two_admins_the_second_is_told_and_loses_nothing(editor, login):
    other = login(factories.member("admin"))
    theirs, mine = filled(other), filled(editor)
    other.post(PAGE, theirs | {"clause-0-text": "What the other wrote."})
    held = policy.current()
    answer = editor.post(PAGE, mine | {"clause-1-text": "What I wrote in an hour."})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert f"Somebody has saved version {held.name} while you were writing" in page
    assert "What I wrote in an hour." in page
    assert "<ins>" in page
    assert "What the other wrote".split()[1] in page
    assert policy.current() == held
    # Sent again, it replaces that version knowingly.
    again = mine | {"clause-1-text": "What I wrote in an hour.", "shown": held.name}
    assert editor.post(PAGE, again).status_code == 302
    assert policy.current().clauses[1].saved_text == "What I wrote in an hour."


def test_back_to_an_older_page_is_a_change_that_comes_too_late(editor):
    before = filled(editor)
    editor.post(PAGE, before | {"clause-0-text": "First."})
    assert editor.post(PAGE, before | {"clause-0-text": "Second."}).status_code == 409
    assert policy.current().clauses[0].saved_text == "First."


def test_a_retired_code_comes_back_only_in_its_old_words():
    for make in (
        lambda: None,
        factories.policy_version,
    ):  # retired from the first version, and from a later one
        make()
        held = policy.current()
        gone = next(clause for clause in held.clauses if clause.code in ("private", "broken"))
        factories.policy_version(without=[gone.code])
        with pytest.raises(policy.Unusable, match="comes back only in its old words"):
            factories.policy_version(clauses=[Clause(gone.code, "Something else", "Another rule.")])
        factories.policy_version(clauses=[gone])
        assert gone in policy.current().clauses
        factories.policy_version(without=[gone.code])


def test_strangers_artists_and_reviewers_make_no_version(login, artist, reviewer, editor):
    data = filled(editor) | {"clause-0-text": "Other words."}
    for person, status in ((None, 302), (artist, 403), (reviewer, 403)):
        for answer in (login(person).get(PAGE), login(person).post(PAGE, data)):
            assert answer.status_code == status
    for person in (artist, reviewer):
        with pytest.raises(NotAllowed):
            factories.policy_version(by=person)
    assert not PolicyVersion.objects.exists()


def test_an_admin_who_was_suspended_meanwhile_makes_no_version(admin):
    exclusion.suspend(admin.membership, by=factories.member("admin"), reason="A reason.")
    with pytest.raises(NotAllowed):
        factories.policy_version(by=admin)


def test_a_version_asks_for_a_fresh_proof(editor, settings):
    data = filled(editor) | {"clause-0-text": "Other words."}
    settings.REQUIRE_MFA = True
    assert editor.post(PAGE, data).status_code in (302, 403)
    assert not PolicyVersion.objects.exists()


# --- What the public reads -------------------------------------------------------------------------------


def test_each_version_has_an_address_and_shows_what_changed(login):
    made = factories.policy_version(
        words={"rights": FIRST.clauses[0].saved_text.replace("protected", "famous")}
    )
    last = factories.policy_version(without=["hate"])
    page = login().get(f"/policy/{made.name}/").content.decode()
    assert "<del>protected</del><ins>famous</ins>" in page
    assert f"version {last.name} does" in page, "it says that it holds no longer"
    assert '<h3 dir="auto"><del>Hatred</del></h3>' in login().get(f"/policy/{last.name}/").content.decode()
    first = login().get("/policy/2026-11/").content.decode()
    assert "<ins>" not in first.partition("<main")[2]
    assert "protected" in first
    for other in ("/policy/", f"/policy/{last.name}/", "/policy/2026-11/"):
        page = login().get(other).content.decode()
        assert all(f'href="/policy/{each.name}/"' in page for each in (FIRST, made, last))
    assert login().get("/policy/1999-01/").status_code == 404


def test_the_policys_pages_cost_the_same_with_one_version_and_with_many(login, django_assert_num_queries):
    factories.policy_version()
    costs = {}
    for path in ("/policy/", f"/policy/{policy.current().name}/", "/policy/2026-11/"):
        with transaction.atomic(), CaptureQueries() as one:
            login().get(path)
        costs[path] = len(one)
    for _ in range(6):
        factories.policy_version()
    for path, cost in costs.items():
        with django_assert_num_queries(cost):
            login().get(path)
    assert max(costs.values()) <= 4


def test_nothing_names_the_admin_to_the_public(login):
    admin = factories.member("admin", name="Ada Admin")
    made = factories.policy_version(by=admin)
    for path in ("/policy/", f"/policy/{made.name}/"):
        assert "Ada" not in login().get(path).content.decode()


def test_words_that_came_with_the_program_stay_translated(monkeypatch):
    from review import clauses

    monkeypatch.setattr(clauses, "gettext", lambda words: f"[{words}]")
    held = factories.policy_version(words={"hate": "Hatred of anybody."})
    with override("en"):
        assert held.clauses[0].title == "[Someone else's work]"
        assert held.clauses_of(["hate"])[0].text == "Hatred of anybody."


def test_differences_lose_no_letter():
    old, new = FIRST.clauses[0].saved_text, "The clip copies a famous work, or a brand; closely enough."
    pieces = differences.in_words(old, new)
    assert "".join(p.words for p in pieces if p.kind != "new") == old
    assert "".join(p.words for p in pieces if p.kind != "gone") == new
    later = Policy("x", (Clause("hate", "Hatred", FIRST.clauses[5].saved_text), Clause("new", "New", "New.")))
    kinds = {each.clause.code: each.kind for each in differences.between(FIRST, later)}
    assert kinds == {c.code: "retired" for c in FIRST.clauses} | {"hate": "same", "new": "new"}


# --- Decisions -----------------------------------------------------------------------------------------


@pytest.fixture
def held(reviewer):
    submission = factories.submission()
    assert queue.claim(submission, by=reviewer)
    return submission


def shown_by(client, submission) -> dict:
    form = client.get(f"/desk/submissions/{submission.pk}/").context["form"]
    return {name: form[name].value() for name in ("content_hash", "policy_version")}


def test_a_decision_keeps_the_version_that_held(login, held, reviewer):
    version = factories.policy_version(words={"rights": "No brands at all."})
    room = login(reviewer)
    answer = room.post(
        f"/desk/submissions/{held.pk}/decision/",
        {**shown_by(room, held), "outcome": "refuse", "reasons": ["rights"], "note": NOTE},
    )
    assert answer.status_code == 302
    decision = Decision.objects.get()
    assert decision.policy_version == version.name
    factories.policy_version(words={"rights": "Something else again."})
    factories.policy_version(without=["rights"])
    page = login(held.artist).get(f"/studio/submissions/{held.pk}/").content.decode()
    assert "No brands at all." in page
    assert f'href="/policy/{version.name}/' in page
    assert Decision.objects.get().clauses[0].text == "No brands at all."


@pytest.mark.parametrize("outcome", ["approve", "refuse"])
def test_a_policy_that_changed_meanwhile_gets_a_sentence_and_loses_nothing(login, held, reviewer, outcome):
    room = login(reviewer)
    data = shown_by(room, held) | {"outcome": outcome, "note": NOTE}
    data |= {"reasons": ["rights", "hate"]} if outcome == "refuse" else {}
    version = factories.policy_version(without=["hate"])
    answer = room.post(f"/desk/submissions/{held.pk}/decision/", data)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert f"version {version.name} holds now" in page
    assert NOTE in page
    assert ("No longer in it: Hatred" in page) == (outcome == "refuse")
    form = answer.context["form"]
    assert form["policy_version"].value() == version.name
    assert (form["reasons"].value() or []) == (["rights"] if outcome == "refuse" else [])
    assert not Decision.objects.exists()
    again = shown_by(room, held) | {
        "outcome": outcome,
        "note": NOTE,
        "reasons": form["reasons"].value() or [],
    }
    assert room.post(f"/desk/submissions/{held.pk}/decision/", again).status_code == 302


@pytest.mark.parametrize("version", ["1999-01", "x" * 400, "a\0b", "2026-11'--"])
def test_a_version_that_never_was_gets_the_sentence_too(login, held, reviewer, version):
    room = login(reviewer)
    data = shown_by(room, held) | {"policy_version": version, "outcome": "approve", "note": NOTE}
    answer = room.post(f"/desk/submissions/{held.pk}/decision/", data)
    assert (answer.status_code, NOTE in answer.content.decode()) == (409, True)


def test_the_gate_itself_asks_for_the_version_and_its_clauses(held, reviewer):
    told = {"by": reviewer, "content_hash": held.content_hash, "note": NOTE}
    with pytest.raises(NotAllowed, match="has no clause “nothing”"):
        gate.decide(held, outcome="refuse", reasons=["rights", "nothing"], **told)
    with pytest.raises(NotAllowed, match="has no clause “rights hate”"):
        gate.decide(held, outcome="refuse", reasons=["rights hate"], **told)
    factories.policy_version(without=["hate"])
    with pytest.raises(NotAllowed, match="has no clause “hate”"):
        gate.decide(held, outcome="refuse", reasons=["hate"], **told)
    with pytest.raises(Conflict, match="has changed"):
        gate.decide(held, outcome="approve", policy_version=FIRST.name, **told)
    assert not Decision.objects.exists()


def test_the_rooms_cost_is_the_same_with_one_version_and_with_many(login, held, reviewer):
    room, path = login(reviewer), f"/desk/submissions/{held.pk}/"
    room.get(path)
    with CaptureQueries() as first:
        room.get(path)
    for _ in range(4):
        factories.policy_version()
    with CaptureQueries() as many:
        room.get(path)
    assert len(first) == len(many)
    assert sum("policyclause" in each["sql"] for each in many) == 1


class CaptureQueries:
    def __new__(cls):
        from django.test.utils import CaptureQueriesContext

        return CaptureQueriesContext(connection)


# --- Raw SQL ---------------------------------------------------------------------------------------------


def raw(statement, *params):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, params)


def refused(statement, *params):
    with pytest.raises(IntegrityError, match="The gate refuses"):
        raw(statement, *params)


@transaction.atomic
def refused_together(first, last):
    raw(*first)
    refused(*last)
    transaction.set_rollback(True)


VERSION = "INSERT INTO review_policyversion (number, name, summary, by_id, at) VALUES (%s, %s, %s, %s, %s)"
CLAUSE = "INSERT INTO review_policyclause (version_id, place, code, title, text) VALUES (%s, %s, %s, %s, %s)"


def test_no_sql_changes_a_version_or_gives_it_another_clause(admin):
    factories.policy_version(by=admin)
    refused(CLAUSE, 2, 90, "slipped-in", "Slipped in", "A clause after the fact.")
    refused(CLAUSE, 1, 90, "slipped-in", "Slipped in", "Into the first version.")
    refused("UPDATE review_policyclause SET text = 'Other words.'")
    refused("UPDATE review_policyversion SET name = '2020-01'")
    refused("DELETE FROM review_policyclause")
    refused("DELETE FROM review_policyversion")


def test_no_sql_makes_a_version_out_of_turn_or_without_clauses(admin):
    factories.policy_version(by=admin)
    by = admin.pk.hex if connection.vendor == "sqlite" else admin.pk
    now = timezone.now()
    refused(VERSION, 3, "2030-01", "Without clauses.", by, now)
    refused_together((CLAUSE, 5, 1, "new", "New", "New."), (VERSION, 5, "2030-01", "Out of turn.", by, now))
    for name, summary in ((FIRST.name, "Under the first one's name."), ("", "x"), ("2030-01", " ")):
        refused_together((CLAUSE, 3, 1, "new", "New", "New."), (VERSION, 3, name, summary, by, now))
    for code, title, text in (("", "T", "x"), ("a b", "T", "x"), ("a", " ", "x"), ("a", "T", "")):
        refused(CLAUSE, 3, 1, code, title, text)


def test_no_sql_decides_by_another_version_or_cites_what_isnt_in_it(held, reviewer):
    from tests.gate_sql import new_decision

    for reasons in (
        "nothing",
        "rights nothing",
        "rights rights",
        "RIGHTS",
        "right",
        "rights ",
        " ",
        "rights  hate",
    ):
        refused(*new_decision(held, reviewer, outcome="refuse", reasons=reasons))
    refused(*new_decision(held, reviewer, policy_version="1999-01", reasons=""))
    factories.policy_version(without=["hate"])
    refused(*new_decision(held, reviewer, policy_version=FIRST.name))
    refused(*new_decision(held, reviewer, outcome="refuse", reasons="hate"))
    raw(*new_decision(held, reviewer, outcome="refuse", reasons="rights likeness"))
    assert re.search("rights", Decision.objects.get().reasons)
