"""The desk by deadline: what is late first, who has what, narrowed and in pages, for the same few questions."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Notice
from review import queue, sealing
from review.models import Claim, Clock, Submission
from review.views import waiting
from tests import factories

pytestmark = pytest.mark.django_db
SHOWS = list(waiting.SHOWS)


def due(submission: Submission, **in_) -> Submission:
    Clock.objects.filter(submission=submission).update(
        due_at=timezone.now() + timedelta(**in_), turn_at=timezone.now() + timedelta(**in_)
    )
    return submission


def shown(client, query="") -> list:
    return [each.pk for each in client.get(f"/desk/{query}").context["waiting"]]


@pytest.fixture
def desk(reviewer):
    """One of each kind; by deadline: late, soon, held, mine, and asked about, which has none just now."""
    made = {name: factories.submission(title=name) for name in ("mine", "held", "soon", "late", "asked")}
    for name, hours in {"late": -3, "soon": 1, "held": 5, "mine": 9}.items():
        due(made[name], hours=hours)
    assert queue.claim(made["mine"], by=reviewer)
    assert queue.claim(made["held"], by=factories.member("reviewer", name="Hilda Holder"))
    factories.asked(made["asked"])
    return made


def test_the_earliest_deadline_comes_first_and_late_ones_before_all(login, reviewer, desk):
    page = login(reviewer).get("/desk/")
    order = ["late", "soon", "held", "mine"]
    assert [each.pk for each in page.context["waiting"]] == [desk[name].pk for name in order]
    for words in ("3 hours late", "60 minutes left", "5 hours left", "Hilda Holder"):
        assert words in page.text


@pytest.mark.parametrize(
    "show,names",
    [
        ("all", ["late", "soon", "held", "mine"]),
        ("free", ["late", "soon"]),
        ("held", ["held", "mine"]),
        ("mine", ["mine"]),
        ("late", ["late"]),
        ("asked", ["asked"]),
        ("nonsense", ["late", "soon", "held", "mine"]),
    ],
)
def test_it_can_be_narrowed(login, reviewer, desk, show, names):
    assert shown(login(reviewer), f"?show={show}") == [desk[name].pk for name in names]


@pytest.mark.parametrize("show", SHOWS)
def test_what_one_may_not_decide_on_is_in_no_list(login, reviewer, show):
    own, recused, gone = factories.submission(artist=reviewer), factories.submission(), factories.submission()
    queue.recuse(recused, by=reviewer, reason="A friend.")
    sealing.withdraw(gone, by=gone.artist)
    for submission in (own, recused):
        due(submission, hours=-1)
    assert shown(login(reviewer), f"?show={show}") == []


def test_a_claim_that_lapsed_is_free_again(login, reviewer, desk):
    Claim.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert shown(login(reviewer), "?show=held") == shown(login(reviewer), "?show=mine") == []
    assert len(shown(login(reviewer), "?show=free")) == 4


def test_the_next_one_is_the_earliest_free_deadline(login, desk):
    others = [factories.member("reviewer") for _number in range(3)]
    told = [login(other).post("/desk/next/").url for other in others]
    assert told == [
        f"/desk/submissions/{desk['late'].pk}/",
        f"/desk/submissions/{desk['soon'].pk}/",
        "/desk/",
    ]


def test_pages_go_on_after_the_last_row_whatever_comes_between(login, reviewer, monkeypatch):
    monkeypatch.setattr(waiting, "PAGE", 3)
    waiting._waiting.cache_clear()
    made = [factories.submission() for _number in range(8)]
    same = timezone.now() + timedelta(hours=4)
    Clock.objects.update(due_at=same, turn_at=same)  # their order is that of their ids then
    due(made[0], hours=1)
    due(made[1], hours=9)
    client, query, seen = login(reviewer), "?show=all", []
    while query:
        page = client.get(f"/desk/{query}")
        seen += [each.pk for each in page.context["waiting"]]
        query = page.context["more"]
        if len(seen) == 3:
            due(factories.submission(), minutes=1)  # comes before: shifts nothing
    assert len(seen) == len(set(seen)) == 8
    assert (seen[0], seen[-1]) == (made[0].pk, made[1].pk)
    waiting._waiting.cache_clear()


@pytest.mark.parametrize(
    "after",
    ["", "x", "2026-11-25", "2026-11-25T10:00:00Z", "0001-01-01T00:00:00+14:00,x", ",", "a\0"],
)
def test_a_key_that_is_none_begins_at_the_beginning(login, reviewer, desk, after):
    page = login(reviewer).get("/desk/", {"after": after})
    assert (page.status_code, len(page.context["waiting"])) == (200, 4)


def cost(client, path) -> int:
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    return len(queries)


def test_each_list_costs_the_same_with_1_and_with_50(login, reviewer):
    client = login(reviewer)
    key = f"&after={timezone.now() - timedelta(days=9):%Y-%m-%dT%H:%M:%SZ},{'0' * 32}"
    paths = [f"/desk/?show={show}{after}" for show in SHOWS for after in ("", key)]
    more = iter(range(1000))

    def add(count):
        for _number in range(count):
            held, asked, late = (factories.submission(title=f"Title {next(more)}") for _kind in range(3))
            assert queue.claim(held, by=factories.member("reviewer"))
            factories.asked(asked)
            due(late, hours=-1)
        Notice.objects.all().delete()

    add(1)
    one = [cost(client, path) for path in paths]
    add(24)
    assert [cost(client, path) for path in paths] == one
    assert max(one) <= 5


def test_only_leads_are_offered_to_hand_over(login, reviewer, desk):
    assert "#handover" not in login(reviewer).get("/desk/").text
    page = login(factories.member("lead")).get("/desk/").text
    assert page.count("#handover") == 2


def test_the_place_in_line_leaves_out_what_stands_still(desk):
    told = {name: queue.place(Submission.objects.get(pk=each.pk)) for name, each in desk.items()}
    assert told == {"late": 1, "soon": 2, "held": 3, "mine": 4, "asked": None}


def test_the_desk_says_what_the_setting_promises(login, reviewer):
    factories.submission()
    hours = settings.REVIEW_DEADLINE.total_seconds() / 3600
    assert f"{hours:.0f} hours left" in login(reviewer).get("/desk/").text
