"""Anybody reports a public clip; a reviewer answers all reports on it at once; nobody learns who reported."""

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry
from review import gate, news, reporting
from review.models import Inquiry, Report, ReportAnswer, Submission, Takedown
from review.permissions import Conflict
from tests import factories

pytestmark = pytest.mark.django_db
SAID, FINE, GONE = "At second two.", "Nobody in it exists.", "It shows somebody who exists."


@pytest.fixture
def public():
    return factories.publication()


@pytest.fixture
def mailed(monkeypatch):
    """What would go over the broker goes out at once."""
    for task in (news.mail_report_answer, news.mail_news):
        monkeypatch.setattr(task, "apply_async", lambda args, task=task, **_options: task(*args))


def send(client, on, **data):
    return client.post(f"/watch/{on.slug}/reports/", {"reason": "hate", "text": SAID, "email": ""} | data)


def at_desk(client, on, act="", **data):
    path = f"/desk/reports/{on.pk}/" + (f"{act}/" if act else "")
    return client.post(path, data) if act else client.get(path)


def answer(client, on, outcome="kept", note=FINE, seen=1):
    return at_desk(client, on, "answer", outcome=outcome, note=note, seen=seen)


# --- Reporting ------------------------------------------------------------------------------------


def test_a_stranger_reports_without_an_account_and_without_a_script(login, public):
    page = login().get(f"/watch/{public.slug}/").text
    assert f'action="/watch/{public.slug}/reports/"' in page
    assert "csrfmiddlewaretoken" in page
    sent = send(login(), public, email="someone@example.org")
    assert sent.url == f"/watch/{public.slug}/reports/thanks/"
    assert "Thank you" in login().get(sent.url).text
    report = Report.objects.get()
    assert (report.number, report.reason, report.text, report.email) == (
        1,
        "hate",
        SAID,
        "someone@example.org",
    )
    assert AuditEntry.objects.filter(act="publication.reported", by=None, words="").count() == 1
    assert SAID not in login().get(f"/watch/{public.slug}/").text


def test_the_token_is_asked_for(public):
    assert send(Client(enforce_csrf_checks=True), public).status_code == 403
    assert not Report.objects.exists()


def test_the_form_stands_by_itself_too(login, public):
    page = login().get(f"/watch/{public.slug}/reports/")
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]


@pytest.mark.parametrize(
    "wrong, sentence",
    [
        ({"reason": ""}, "Choose what is wrong"),
        ({"reason": "nonsense"}, "Select a valid choice"),
        ({"reason": "other", "text": " "}, "Say in a few words"),
        ({"text": "x" * 2001}, "at most 2000 characters"),
        ({"email": "nowhere"}, "valid email address"),
    ],
)
def test_bad_input_keeps_the_form_filled(login, public, wrong, sentence):
    sent = send(login(), public, **{"email": "someone@example.org"} | wrong)
    assert sent.status_code == 422
    assert sentence in sent.text
    if "email" not in wrong:
        assert 'value="someone@example.org"' in sent.text
    if "text" not in wrong:
        assert SAID in sent.text
    assert not Report.objects.exists()


def test_a_clause_needs_no_further_words(login, public):
    assert send(login(), public, text="").status_code == 302


def test_a_second_click_reports_once(login, public):
    for _ in range(2):
        send(login(), public)
    assert Report.objects.count() == 1
    send(login(), public, text="Another thing.")
    assert list(Report.objects.values_list("number", flat=True)) == [1, 2]


def test_one_address_reports_only_so_often_and_keeps_its_words(login, settings, public):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"report": "2/h/ip"}
    for number in range(2):
        assert send(login(), public, text=f"{number}").status_code == 302
    sent = send(login(), public, text="The third.")
    assert sent.status_code == 429
    assert "Many reports came from your address" in sent.text
    assert "The third." in sent.text
    assert Report.objects.count() == 2


def test_on_one_clip_lie_only_so_many(login, public, monkeypatch):
    monkeypatch.setattr(reporting, "MOST_OPEN", 2)
    for number in range(4):
        assert send(login(), public, text=f"{number}").status_code == 302, (
            "nobody is told that they came too late"
        )
    assert Report.objects.count() == 2


def test_what_was_taken_down_is_reported_no_more(login, public):
    gate.take_down(public, by=public.submission.artist)
    assert send(login(), public).status_code == 410
    with pytest.raises(reporting.Gone):
        factories.report(public)
    assert login().get(f"/watch/{public.slug}/reports/thanks/").status_code == 410


def test_the_artist_is_offered_no_form_on_their_own_clip(login, public):
    assert (
        f"/watch/{public.slug}/reports/"
        not in login(public.submission.artist).get(f"/watch/{public.slug}/").text
    )


# --- Answering ------------------------------------------------------------------------------------


def test_all_reports_on_a_clip_are_answered_at_once_and_by_mail(
    login, public, reviewer, mailed, django_capture_on_commit_callbacks
):
    for text, email in (
        ("One.", "a@example.org"),
        ("Two.", ""),
        ("Three.", "b@example.org"),
        ("4.", "a@example.org"),
    ):
        factories.report(public, text=text, email=email)
    client = login(reviewer)
    assert client.get("/desk/").context["news"] == ["reports"]
    assert [row.pk for row in client.get("/desk/?show=reports").context["rows"]] == [public.pk]
    assert at_desk(client, public, "claim").status_code == 302
    page = at_desk(client, public).text
    assert all(text in page for text in ("One.", "Two.", "Three.", "4 reports"))
    assert "example.org" not in page, "whose address it is helps nobody to decide"
    with django_capture_on_commit_callbacks(execute=True):
        assert answer(client, public, seen=4).status_code == 302
    assert answer(client, public, seen=4).status_code == 302, "a second click"
    assert ReportAnswer.objects.get().last_number == 4
    assert sorted(sent.to[0] for sent in mail.outbox) == ["a@example.org", "b@example.org"]
    for sent in mail.outbox:
        for part in (sent.body, sent.alternatives[0].content):
            assert FINE in part
            assert "it stays" in part
            assert reviewer.name not in part
            assert public.submission.title not in part
    assert client.get("/desk/?show=reports").context["rows"] == []
    assert "Every report on this clip is answered" in at_desk(client, public).text
    assert login().get(f"/watch/{public.slug}/").status_code == 200
    assert not public.submission.artist.notices.exists()


def test_a_takedown_answers_them_and_the_public_page_says_why(
    login, public, reviewer, mailed, django_capture_on_commit_callbacks
):
    factories.inquiry(public, by=reviewer, email="a@example.org", text="report-words")
    with django_capture_on_commit_callbacks(execute=True):
        assert answer(login(reviewer), public, "taken-down", GONE).status_code == 302
    takedown = Takedown.objects.get()
    assert (takedown.by, takedown.reason) == (reviewer, GONE)
    page = login().get(f"/watch/{public.slug}/")
    assert page.status_code == 410
    assert GONE in page.text
    assert login().get(f"/watch/{public.slug}/video.mp4").status_code == 410
    artist = public.submission.artist
    told = login(artist).get(f"/studio/submissions/{public.submission.pk}/").text
    assert GONE in told
    assert "report-words" not in told
    assert "a@example.org" not in told
    to = {sent.to[0]: sent.body for sent in mail.outbox}
    assert set(to) == {"a@example.org", artist.email}
    assert "it is taken down" in to["a@example.org"]


def test_an_artist_s_own_takedown_shows_no_reason_and_an_erased_one_none(login, public):
    own = factories.publication()
    gate.take_down(own, by=own.submission.artist, reason="private-words")
    page = login().get(f"/watch/{own.slug}/")
    assert page.status_code == 410
    assert "private-words" not in page.text
    assert "reason" not in page.text
    takedown = factories.takedown(public, reason=GONE)
    assert GONE in login().get(f"/watch/{public.slug}/").text
    Takedown.objects.filter(pk=takedown.pk).update(reason="", erased_at=timezone.now())
    assert "The program’s reason" not in login().get(f"/watch/{public.slug}/").text


def test_whoever_keeps_it_has_read_all_of_them(login, public, reviewer):
    factories.inquiry(public, by=reviewer)
    factories.report(public, text="A second one.")
    sent = answer(login(reviewer), public, seen=1)
    assert sent.status_code == 409
    assert FINE in sent.text
    assert not ReportAnswer.objects.exists()
    assert answer(login(reviewer), public, "taken-down", GONE, seen=1).status_code == 302
    assert ReportAnswer.objects.get().last_number == 2


def test_what_comes_after_an_answer_is_a_new_inquiry(login, public, reviewer):
    factories.inquiry(public, by=reviewer)
    answer(login(reviewer), public)
    factories.report(public, text="Something new.")
    again = Inquiry.objects.get()
    assert (again.closed_at, again.holder) == (None, None)
    assert [report.number for report in again.open_reports] == [2]
    page = at_desk(login(reviewer), public).text
    assert "Something new." in page
    assert SAID not in page
    assert FINE in page, "what was answered before"


@pytest.mark.parametrize("by_artist", [True, False])
def test_a_clip_that_was_taken_down_meanwhile_is_answered_as_that(login, public, reviewer, by_artist):
    factories.inquiry(public, by=reviewer)
    by = public.submission.artist if by_artist else factories.member("admin")
    gate.take_down(public, by=by, reason="A reason.")
    client = login(reviewer)
    assert "taken down meanwhile" in at_desk(client, public).text
    assert answer(client, public).status_code == 409
    assert answer(client, public, "taken-down", "It is gone.").status_code == 302
    assert Takedown.objects.get().by == by


def test_nobody_judges_reports_about_their_own_clip(login):
    artist = factories.member("reviewer")
    public = factories.publication(artist=artist)
    factories.report(public)
    client = login(artist)
    assert client.get("/desk/?show=reports").context["rows"] == []
    assert at_desk(client, public, "claim").status_code == 409
    assert answer(client, public).status_code == 409
    assert answer(client, public, "taken-down", GONE).status_code == 409
    assert not Takedown.objects.exists()


def test_one_holds_them_at_a_time(login, public, reviewer):
    factories.inquiry(public, by=reviewer)
    other = login(factories.member("reviewer"))
    assert at_desk(other, public, "claim").status_code == 409
    assert answer(other, public).status_code == 409
    assert at_desk(login(reviewer), public, "release").url == "/desk/?show=reports"
    assert at_desk(other, public, "claim").status_code == 302


@pytest.mark.parametrize(
    "wrong", [{"note": " "}, {"note": "x" * 2001}, {"outcome": "perhaps"}, {"seen": "x"}]
)
def test_a_bad_answer_is_said_to_be_so(login, public, reviewer, wrong):
    factories.inquiry(public, by=reviewer)
    sent = at_desk(login(reviewer), public, "answer", **{"outcome": "kept", "note": FINE, "seen": 1} | wrong)
    assert sent.status_code == 422
    assert "form-errors" in sent.text
    if "note" not in wrong:
        assert FINE in sent.text


def test_an_answer_that_cannot_be_recorded_takes_nothing_down(public, reviewer):
    inquiry = factories.inquiry(public)  # which nobody holds
    with pytest.raises(Conflict):
        reporting.answer(inquiry, by=reviewer, outcome="taken-down", note=GONE, seen=1)
    assert not Takedown.objects.exists()


def test_a_report_can_be_erased_and_then_nobody_is_written_to(login, public, reviewer, mailed):
    inquiry = factories.inquiry(public, by=reviewer, email="a@example.org")
    made = reporting.answer(inquiry, by=reviewer, outcome="kept", note=FINE, seen=1)
    Report.objects.update(text="", email="", erased_at=timezone.now())
    news.mail_report_answer(made.pk, Report.objects.get().pk)
    assert mail.outbox == []


# --- Cost ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 12])
def test_the_desk_asks_the_same_for_one_inquiry_and_for_many(login, count, django_assert_num_queries):
    for _ in range(count):
        factories.report()
    client = login(factories.member("reviewer"))
    client.get("/desk/")  # its questions are put together once in a process
    with django_assert_num_queries(4):
        assert len(client.get("/desk/?show=reports").context["rows"]) == count


@pytest.mark.parametrize("count", [1, 12])
def test_an_inquiry_s_page_asks_the_same_for_one_report_and_for_many(
    login, public, reviewer, count, django_assert_num_queries
):
    for number in range(count):
        factories.report(public, text=f"Report {number}.")
    reporting.claim(Inquiry.objects.get(), by=reviewer)
    submission = Submission.objects.get()
    factories.viewed(submission, by=reviewer)
    client = login(reviewer)
    with django_assert_num_queries(10):
        assert at_desk(client, public).status_code == 200
