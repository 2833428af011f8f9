"""The public numbers: right, the same from everywhere, never about one person, and no dearer with more rows."""

import csv
import io
import itertools
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import audit
from review import appealing, charts, gate, numbers, sealing
from review.models import Decision, Month
from tests import factories

pytestmark = pytest.mark.django_db
NOW = f"{timezone.now():%Y-%m}"


@pytest.fixture
def later():
    """Two months on, so that the month of what the test made is over."""
    with patch.object(numbers, "is_over", lambda month: month == NOW):
        yield


def refusals(many: int, *reasons, of=None):
    for _ in range(many):
        factories.decision(factories.submission(), "refuse", reasons=reasons)


def table(client) -> list[dict]:
    told = client.get("/transparency.csv")
    return list(csv.DictReader(io.StringIO(told.getvalue().decode())))


def printed(*words) -> str:
    said = io.StringIO()
    call_command("transparency", *words, stdout=said, stderr=said)
    return said.getvalue()


def test_an_empty_house_has_numbers_too(login):
    assert login().get("/transparency/").status_code == 200
    (only,) = table(login())
    assert (only["month"], only["submissions"], only["median_seconds"]) == (NOW, "0", "")


def test_each_act_counts_where_it_belongs(login, later):
    refusals(5, "rights", "hate")
    refusals(1, "rights")
    published = factories.publication()
    gate.take_down(published, by=published.submission.artist)
    withdrawn = factories.submission()
    sealing.withdraw(withdrawn, by=withdrawn.artist)
    (row,) = table(login())
    told = {name: row[name] for name in ("submissions", "withdrawn", "approvals", "refusals", "takedowns")}
    assert told == {"submissions": "8", "withdrawn": "1", "approvals": "1", "refusals": "6", "takedowns": "1"}
    assert (row["refused:rights"], row["refused:hate"]) == ("6", "5")
    assert (row["refused:minors"], row["refused:broken"]) == ("fewer than 5",) * 2
    page = login().get("/transparency/").content.decode()
    assert page.count("fewer than 5") >= 7
    assert "<svg" in page


def test_appeals_count_by_what_came_of_them_and_reports_by_themselves(login, later):
    hearer = factories.member("reviewer")
    appealing.dismiss(factories.appeal(hearer=hearer), by=hearer, note="It stands.")
    factories.appeal()  # which nobody has heard yet
    for outcome in ("approve", "refuse"):
        opened = factories.upheld(by=hearer)
        factories.decision(opened, outcome, by=hearer)
    factories.upheld(by=hearer)  # which nobody has decided on yet
    for _ in range(2):
        factories.report()
    (row,) = table(login())
    told = {name: row[name] for name in ("appeals", "overturns", "dismissals", "reports")}
    assert told == {"appeals": "5", "overturns": "1", "dismissals": "1", "reports": "2"}
    assert printed() == login().get("/transparency.csv").getvalue().decode()
    page = login().get("/transparency/").content.decode()
    assert '<td data-align="right">5</td><td data-align="right">1</td><td data-align="right">1</td>' in page


def test_few_of_a_clause_are_told_like_none(login, later):
    refusals(4, "hate")
    (row,) = table(login())
    assert {row[name] for name in row if name.startswith("refused:")} == {"fewer than 5"}
    assert (row["median_seconds"], row["p95_seconds"]) == ("", "")


def test_of_the_present_month_no_clause_is_told(login):
    refusals(6, "hate")
    (row,) = table(login())
    assert {row[name] for name in row if name.startswith("refused:")} == {""}
    assert "told when the month is over" in login().get("/transparency/").content.decode()


def test_times_are_those_of_decisions_by_nearest_rank():
    times = [timedelta(seconds=n) for n in range(1, 101)]
    assert numbers._percentile(times, 50) == 50
    assert numbers._percentile(times, 95) == 95
    assert numbers._percentile(times[:1], 95) == 1
    assert numbers._percentile([], 50) is None


def test_the_database_tells_how_long_decisions_took(login):
    refusals(5, "hate")
    took = sorted(d.at - d.submission.created_at for d in Decision.objects.select_related("submission"))
    counted = numbers.count(NOW)
    assert (counted["median"], counted["p95"]) == (
        round(took[2].total_seconds()),
        round(took[4].total_seconds()),
    )


def test_the_command_prints_what_the_page_shows(login, later):
    refusals(5, "hate")
    download = login().get("/transparency.csv").getvalue().decode()
    assert printed() == download
    assert printed("--month", NOW) == download
    for wrong in ("2026-13", "november", "", "2026-11-01"):
        if wrong:
            with pytest.raises(CommandError, match="is no month"):
                printed("--month", wrong)


def test_a_month_that_is_over_is_counted_once_and_kept(login, later):
    refusals(5, "hate")
    numbers.keep_finished()
    kept = Month.objects.get()
    assert (kept.name, kept.figures["clauses"]) == (NOW, {"hate": 5})
    with patch.object(numbers, "count", side_effect=AssertionError):
        numbers.keep_finished()
        cache.clear()
        assert table(login())[0]["refused:hate"] == "5"
    Month.objects.update(figures=kept.figures | {"refusals": 3})
    assert "other numbers than these were kept" in printed("--month", NOW)
    printed("--month", NOW, "--keep")
    assert Month.objects.get().figures == kept.figures
    Month.objects.update(edition=0, figures={})
    cache.clear()
    assert table(login())[0]["refused:hate"] == "5", "another edition is counted anew"


def test_the_page_costs_the_same_with_one_row_and_with_many(login, django_assert_num_queries):
    refusals(1, "hate")
    with django_assert_num_queries(13):
        login().get("/transparency/")
    with django_assert_num_queries(0):
        login().get("/transparency/")
    refusals(7, "hate", "rights")
    factories.policy_version()
    cache.clear()
    with django_assert_num_queries(13):
        login().get("/transparency/")


def test_months_follow_each_other_without_a_gap():
    with patch.object(numbers.timezone, "now", lambda: datetime(2027, 2, 3, tzinfo=UTC)):
        assert numbers.months() == ["2027-02"]
    submission = factories.submission()
    begin = submission.created_at
    with patch.object(numbers.timezone, "now", lambda: begin + timedelta(days=800)):
        found = numbers.months()
    assert found[0] == f"{begin:%Y-%m}"
    assert len(found) in (27, 28)
    assert all(numbers.bounds(a)[1] == numbers.bounds(b)[0] for a, b in itertools.pairwise(found))


def test_nothing_on_it_names_anybody(login, later):
    submission = factories.submission(title="A title of its own")
    decision = factories.decision(submission, "refuse", note="A note of its own.")
    told = login().get("/transparency/").content.decode() + "".join(map(str, table(login())))
    for name in (
        submission.title,
        submission.artist.name,
        decision.by.name,
        decision.note,
        str(submission.pk),
    ):
        assert name not in told


def test_the_head_of_the_chain_is_there(login, artist):
    head = audit.AuditHead.objects.get()
    page = login().get("/transparency/").content.decode()
    assert head.entry_hash in page


def test_charts_draw_each_number_to_scale():
    chart = charts.stacked(
        [("Nov", {"approvals": 3, "refusals": 1}), ("Dec", {"approvals": 0, "refusals": 4})]
    )
    assert [(m.kind, m.height) for m in chart.marks] == [
        ("approvals", 135),
        ("refusals", 45),
        ("refusals", 180),
    ]
    assert chart.marks[1].y == charts.TOP
    assert [number for _y, number in chart.lines] == ["0", "2", "4"]
    assert charts.stacked([]).marks == []
    assert [m.kind for m in charts.dotted([("Nov", {"median": 0.01, "p95": None})]).marks] == ["median"]
    assert [charts._round_up(n) for n in (0, 2, 3, 5, 11, 99, 101)] == [2, 2, 4, 10, 20, 100, 200]


def test_while_one_visitor_counts_the_others_get_what_there_was(login, django_assert_num_queries):
    login().get("/transparency/")
    later = timezone.now() + timedelta(seconds=numbers.FRESH + 1)
    with patch.object(numbers.timezone, "now", lambda: later):
        cache.add("review.numbers.counting", True, 60)
        with django_assert_num_queries(0):
            login().get("/transparency/")
        cache.delete("review.numbers.counting")
        with django_assert_num_queries(13):
            login().get("/transparency/")
        with django_assert_num_queries(0):
            login().get("/transparency/")
