"""The promise to the artist: a deadline from the desk on, what happens on the way to it, and each of that once."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Notice, exclusion, roles
from review import clocks, gate, news, queue, sealing, tasks
from review.models import Clock, Milestone, Submission
from tests import factories

pytestmark = pytest.mark.django_db
HALF, MOST, ALL = "reminder", "escalation", "overdue"


@pytest.fixture
def swept(django_capture_on_commit_callbacks, monkeypatch):
    """swept() lets all clocks ring, with what follows the commit; the mails are sent at once."""
    monkeypatch.setattr(news.mail_news, "apply_async", lambda args, **_options: news.mail_news(*args))

    def _swept() -> int:
        with django_capture_on_commit_callbacks(execute=True):
            return clocks.ring_due()

    return _swept


def passed(submission: Submission, share: float) -> None:
    """Puts its clock on, as if that share of its time were over."""
    clock = Clock.objects.get(submission=submission)
    moved = clock.due_at - (timezone.now() + (1 - share) * clock.allowed - timedelta(seconds=1))
    Clock.objects.filter(pk=clock.pk).update(
        due_at=clock.due_at - moved,
        turn_at=clock.turn_at - moved,
        rings_at=clock.rings_at and clock.rings_at - moved,
    )


def told(submission: Submission) -> list[str]:
    return list(submission.milestones.order_by("pk").values_list("kind", flat=True))


def news_of(user) -> list[str]:
    return list(Notice.objects.filter(user=user).order_by("pk").values_list("kind", flat=True))


# --- The clock itself ------------------------------------------------------------------------------


def test_it_starts_with_the_seal_and_keeps_the_promise_of_then(settings, artist):
    settings.REVIEW_DEADLINE = timedelta(hours=5)
    submission = factories.submission(artist=artist)
    settings.REVIEW_DEADLINE = timedelta(hours=1)
    clock = Clock.objects.get(submission=submission)
    assert abs(clock.started_at - submission.sealed_at) < timedelta(seconds=1)
    assert abs(clock.due_at - clock.started_at - timedelta(hours=5)) < timedelta(milliseconds=2)
    assert abs(clock.rings_at - clock.started_at - timedelta(hours=2.5)) < timedelta(milliseconds=2)


def test_what_is_not_sealed_has_no_clock(artist):
    sealing.submit(factories.clip(artist), by=artist, title="A title", statement="")
    assert not Clock.objects.exists()


@pytest.mark.parametrize("end", ["approve", "refuse", "withdrawal"])
def test_the_decision_or_the_withdrawal_stops_it_and_it_rings_no_more(swept, end):
    submission = factories.submission()
    passed(submission, 0.9)
    if end == "withdrawal":
        sealing.withdraw(submission, by=submission.artist)
    else:
        factories.decision(submission, end)
    assert Clock.objects.get().stopped_at is not None
    assert (swept(), told(submission)) == (0, [])
    assert queue.claim_next(factories.member("reviewer")) is None


def test_a_clock_that_nobody_started_is_started_by_the_sweep(swept, reviewer):
    submission = factories.submission()
    Clock.objects.all().delete()
    assert queue.claim_next(reviewer) is None
    swept()
    assert queue.claim_next(reviewer) == submission


# --- What it passes ----------------------------------------------------------------------------------


def test_each_share_of_the_time_is_passed_once(swept, reviewer):
    submission, lead = factories.submission(), factories.member("lead")
    for share, kinds in ((0.4, []), (0.5, [HALF]), (0.8, [HALF, MOST]), (1.0, [HALF, MOST, ALL])):
        passed(submission, share)
        swept()
        assert swept() == 0, "a second sweep finds nothing"
        assert told(submission) == kinds
    assert news_of(reviewer) == ["review-half"]
    assert news_of(lead) == ["review-half", "review-late"]
    assert news_of(submission.artist) == ["submission-late"]
    assert Clock.objects.get().rings_at is None


def test_after_a_long_silence_all_is_made_up_for_at_once(swept, reviewer):
    submission = factories.submission()
    passed(submission, 3)
    assert swept() == 3
    assert told(submission) == [HALF, MOST, ALL]
    assert Submission.objects.waiting().get() == submission, "it is late, and still waits"


def test_the_public_entry_is_a_record_with_its_deadline_and_an_audit_entry(swept):
    submission = factories.submission()
    passed(submission, 1)
    due = Clock.objects.get().due_at
    swept()
    entry = AuditEntry.objects.get(act="submission.overdue")
    assert (entry.by, entry.subject) == (None, f"submission:{submission.pk}")
    made = Milestone.objects.get(kind=ALL)
    assert made.due_at == due < made.at


@pytest.mark.parametrize("kind", [HALF, ALL])
def test_a_milestone_is_once_by_the_database_too(swept, kind):
    submission = factories.submission()
    passed(submission, 1)
    swept()
    row = {"submission": submission, "at": timezone.now(), "due_at": timezone.now()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Milestone.objects.create(kind=kind, **row)
    with pytest.raises(IntegrityError), transaction.atomic():
        Milestone.objects.create(kind="another", **row)
    with pytest.raises(IntegrityError, match="The gate refuses"), transaction.atomic():
        Milestone.objects.filter(kind=kind).delete()


def test_a_sweep_that_dies_half_way_goes_on_where_it_was(swept, reviewer, monkeypatch):
    submissions = [factories.submission() for _number in range(3)]
    for submission in submissions:
        passed(submission, 0.5)
    tell = news.tell_of_milestone

    def dies(submission, kind):
        tell(submission, kind)
        if submission == submissions[1]:
            raise RuntimeError

    monkeypatch.setattr(news, "tell_of_milestone", dies)
    with pytest.raises(RuntimeError):
        swept()
    assert [told(each) for each in submissions] == [[HALF], [], []]
    monkeypatch.undo()
    monkeypatch.setattr(news.mail_news, "apply_async", lambda args, **_options: None)
    assert clocks.ring_due() == 2
    assert [told(each) for each in submissions] == [[HALF]] * 3


def test_the_scheduled_sweep_does_it(monkeypatch):
    submission = factories.submission()
    passed(submission, 0.5)
    tasks.sweep()
    assert told(submission) == [HALF]


# --- Who hears of it -------------------------------------------------------------------------------------


def test_many_clips_are_told_once_until_somebody_has_looked(swept, reviewer, login):
    for _number in range(3):
        passed(factories.submission(), 0.5)
    swept()
    assert news_of(reviewer) == ["review-half"]
    assert [sent.to for sent in mail.outbox] == [[reviewer.email]]
    client = login(reviewer)
    client.get("/desk/")
    assert Notice.objects.filter(read_at=None).exists()
    client.get(Notice.objects.get().path)
    assert not Notice.objects.filter(read_at=None).exists()
    passed(factories.submission(), 0.5)
    swept()
    assert news_of(reviewer) == ["review-half"] * 2
    assert len(mail.outbox) == 1, "one mail in ten minutes"


def test_the_artist_the_recused_and_the_kept_out_are_not_reminded(swept, reviewer, admin):
    own = factories.submission(artist=reviewer)
    recused, away, demoted = (factories.member("lead") for _number in range(3))
    queue.recuse(own, by=recused, reason="A friend.")
    exclusion.suspend(away.membership, by=admin, reason="A reason.")
    roles.change_role(demoted.membership, "artist", by=admin)
    Notice.objects.all().delete()
    passed(own, 0.8)
    swept()
    assert [news_of(each) for each in (recused, away, demoted)] == [[], [], []]
    assert news_of(reviewer) == []
    assert news_of(admin) == ["review-late"], "with no lead there, admins hear of it"


def test_a_mail_holds_no_words_and_comes_only_where_it_is_wanted(swept, reviewer):
    submission, lead = factories.submission(title="A private title"), factories.member("lead")
    type(lead).objects.filter(pk=lead.pk).update(wants_mail=False)
    passed(submission, 1)
    swept()
    assert sorted(sent.to[0] for sent in mail.outbox) == sorted([reviewer.email, submission.artist.email])
    for sent in mail.outbox:
        said = sent.subject + sent.body + "".join(part.content for part in sent.alternatives)
        assert "A private title" not in said
        assert "Hello" in said


def test_what_was_seen_in_time_sends_no_mail(reviewer):
    Notice.objects.create(user=reviewer, kind="review-half", path="/desk/?show=free", read_at=timezone.now())
    news.mail_news(str(reviewer.pk), "review-half", "/desk/?show=free")
    assert mail.outbox == []


def test_a_cache_that_is_away_costs_a_mail_and_nothing_else(swept, reviewer, monkeypatch):
    def away(*_args):
        raise ConnectionError

    monkeypatch.setattr(cache, "add", away)
    submission = factories.submission()
    passed(submission, 0.5)
    swept()
    assert (told(submission), news_of(reviewer)) == ([HALF], ["review-half"])


# --- What the artist sees ----------------------------------------------------------------------------------


def test_the_page_shows_deadline_place_and_what_happens(login):
    first, second = factories.submission(), factories.submission()
    page = login(second.artist).get(f"/studio/submissions/{second.pk}/").text
    assert "Number 2 in the queue" in page
    assert "48 hours left" in page
    for words in ("the reviewers are reminded", "the leads are told", "late in the public numbers"):
        assert words in page
    assert "48 hours left" in login(factories.member("reviewer")).get(f"/desk/submissions/{first.pk}/").text
    passed(second, 1)
    page = login(second.artist).get(f"/studio/submissions/{second.pk}/").text
    assert "The decision is late" in page
    assert "Next to be reviewed" in page, "what is late comes first"


def test_the_clip_s_page_shows_the_deadline_too(login, artist):
    submission = factories.submission(artist=artist)
    client, path = login(artist), f"/studio/clips/{submission.clip_id}/"
    assert "A decision is due by" in client.get(path).text
    with CaptureQueriesContext(connection) as one:
        client.get(path)
    factories.asked(submission)
    Notice.objects.all().delete()
    with CaptureQueriesContext(connection) as other:
        assert "the clock waits for your answer" in client.get(path).text
    assert len(one) == len(other)


def test_before_it_is_sealed_the_page_promises_no_time(login, artist):
    sent = sealing.submit(factories.clip(artist), by=artist, title="A title", statement="")
    page = login(artist).get(f"/studio/submissions/{sent.pk}/").text
    assert "its clock starts" in page
    assert "hours left" not in page


def test_staff_read_all_milestones_in_the_history_and_the_artist_only_that_it_is_late(swept, login, reviewer):
    submission = factories.submission()
    passed(submission, 1)
    swept()
    gate_page = login(reviewer).get(f"/desk/submissions/{submission.pk}/").text
    artist_page = login(submission.artist).get(f"/studio/submissions/{submission.pk}/").text
    assert "Reviewers were reminded" in gate_page
    assert "Past its deadline" in gate_page
    assert "Past its deadline" in artist_page
    assert "Reviewers were reminded" not in artist_page


def test_a_late_clip_can_be_decided_as_ever(swept, reviewer):
    submission = factories.submission()
    passed(submission, 2)
    swept()
    assert queue.claim(submission, by=reviewer)
    assert gate.decide(submission, by=reviewer, outcome="approve", content_hash=submission.content_hash)
