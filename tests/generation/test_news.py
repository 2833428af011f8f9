"""Who has left hears of the end: in the inbox each time, by mail now and then, and never in the prompt's words."""

import pytest
from django.core import mail
from django.core.cache import cache

from accounts.models import Notice, exclusion
from generation import news, queue
from sorahub.celery import app
from tests import factories

from .claiming import claims, finish, let_lapse

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended(django_capture_on_commit_callbacks, monkeypatch):
    """ended(attempt) finishes it, with what follows the commit; the mails that tasks would send are sent at once."""
    monkeypatch.setattr(news.mail_news, "apply_async", lambda args, **_options: news.mail_news(*args))

    def _ended(attempt, end=finish):
        with django_capture_on_commit_callbacks(execute=True):
            return end(attempt)

    return _ended


def fail(attempt):
    return queue.give_up(attempt, retry=False, sentence="It can't be drawn.")


def news_of(user) -> list[tuple[str, str]]:
    return list(Notice.objects.filter(user=user).values_list("kind", "path"))


def claimed(owner, **changes):
    job = factories.job(owner, "words of the prompt", **changes)
    (attempt,) = claims()
    assert attempt.job_id == job.pk
    return job, attempt


@pytest.mark.parametrize("end,kind", [(finish, "take-ready"), (fail, "take-failed")])
def test_a_take_that_ends_unseen_is_told_in_the_inbox_and_by_mail(artist, ended, end, kind):
    job, attempt = claimed(artist)
    ended(attempt, end)
    assert news_of(artist) == [(kind, f"/studio/jobs/{job.pk}/")]
    (sent,) = mail.outbox
    assert sent.to == [artist.email]
    told = sent.subject + sent.body + "".join(part.content for part in sent.alternatives)
    assert "http://testserver/inbox/" in sent.body
    for private in ("words of the prompt", str(job.pk), "/studio/"):
        assert private not in told


@pytest.mark.parametrize("page", ["", "status.json"])
def test_whoever_looks_at_the_page_needs_no_notice(artist, ended, login, page):
    job, attempt = claimed(artist)
    login(artist).get(f"/studio/jobs/{job.pk}/{page}")
    ended(attempt)
    assert (news_of(artist), mail.outbox) == ([], [])


def test_a_look_by_somebody_else_or_at_another_take_does_not_count(artist, ended, login):
    job, attempt = claimed(artist)
    other = factories.job(artist)
    login(factories.member()).get(f"/studio/jobs/{job.pk}/")
    login(artist).get(f"/studio/jobs/{other.pk}/")
    ended(attempt)
    assert len(news_of(artist)) == 1


def test_a_look_is_forgotten_after_some_seconds(artist, ended, login, monkeypatch):
    monkeypatch.setattr(news, "WATCHED", 0)
    job, attempt = claimed(artist)
    login(artist).get(f"/studio/jobs/{job.pk}/")
    ended(attempt)
    assert len(news_of(artist)) == 1


def test_one_page_watches_over_all_takes_of_its_click(artist, ended, login):
    first = queue.enqueue(artist, factories.recipe(), takes=2)
    login(artist).get(f"/studio/jobs/{first.pk}/")
    for _ in range(2):
        ended(claims()[0])
    assert news_of(artist) == []


def test_the_mail_waits_for_no_engine():
    assert app.amqp.router.route({}, news.mail_news.name)["queue"].name == "desk"


def test_without_a_cache_the_notice_comes_all_the_same(artist, ended, monkeypatch):
    def broken(*_args, **_kwargs):
        raise ConnectionError("the cache is away")

    _job, attempt = claimed(artist)
    monkeypatch.setattr(type(cache._connections["default"]), "get", broken)
    ended(attempt)
    assert len(news_of(artist)) == 1


def test_a_broker_that_is_away_spoils_no_take(artist, monkeypatch, django_capture_on_commit_callbacks):
    def away(*_args, **_options):
        raise ConnectionError("the broker is away")

    monkeypatch.setattr(news.mail_news, "apply_async", away)
    job, attempt = claimed(artist)
    with django_capture_on_commit_callbacks(execute=True):
        assert finish(attempt)
    assert news_of(artist) == [("take-ready", f"/studio/jobs/{job.pk}/")]


def test_many_takes_send_one_mail_and_each_its_notice(artist, ended):
    for _ in range(3):
        ended(claimed(artist)[1])
    assert (len(news_of(artist)), len(mail.outbox)) == (3, 1)
    cache.delete(f"news-mailed:{artist.pk}")
    ended(claimed(artist)[1])
    assert len(mail.outbox) == 2


def test_a_member_who_wants_no_mail_gets_none(artist, ended, login):
    login(artist).post("/inbox/mail/", {"mail": "never"})
    ended(claimed(artist)[1])
    assert (len(news_of(artist)), mail.outbox) == (1, [])
    login(artist).post("/inbox/mail/", {"mail": "at-once"})
    ended(claimed(artist)[1])
    assert len(mail.outbox) == 1


def test_what_was_read_meanwhile_sends_no_mail(artist, ended, monkeypatch):
    sent_later = []
    monkeypatch.setattr(news.mail_news, "apply_async", lambda args, **_options: sent_later.append(args))
    ended(claimed(artist)[1])
    Notice.objects.update(read_at=Notice.objects.get().at)
    for args in sent_later:
        news.mail_news(*args)
    assert (len(sent_later), mail.outbox) == (1, [])


def test_whoever_cancelled_or_is_kept_out_hears_nothing(artist, ended, django_capture_on_commit_callbacks):
    job, attempt = claimed(artist)
    with django_capture_on_commit_callbacks(execute=True):
        queue.cancel(job, by=artist)
    assert not ended(attempt)
    _job, attempt = claimed(artist)
    exclusion.suspend(artist.membership, by=None, reason="For a reason.")
    with django_capture_on_commit_callbacks(execute=True):
        queue.cancel_of_kept_out()
    assert (news_of(artist), mail.outbox) == ([], [])


def test_a_take_that_lapsed_for_the_last_time_is_told_and_one_that_waits_again_is_not(artist, ended):
    factories.job(artist)
    for number in (1, 2, 3):
        assert news_of(artist) == []
        (attempt,) = claims()
        assert attempt.number == number
        let_lapse(attempt)
        ended(attempt, lambda _attempt: queue.put_back_lapsed())
    assert [kind for kind, _path in news_of(artist)] == ["take-failed"]


# --- The inbox ------------------------------------------------------------------------------------


def test_the_inbox_leads_to_the_take_and_its_page_makes_it_read(artist, ended, login):
    client = login(artist)
    job, attempt = claimed(artist)
    assert "There is news." not in client.get("/studio/").text
    ended(attempt)
    assert "There is news." in client.get("/studio/").text
    page = client.get("/inbox/")
    assert f'href="/studio/jobs/{job.pk}/"' in page.text
    assert "words of the prompt" not in page.text
    assert "There is news." not in client.get(f"/studio/jobs/{job.pk}/").text
    assert "There is news." not in client.get("/inbox/").text
    assert Notice.objects.get().read_at is not None


def test_all_can_be_marked_as_read_and_only_one_s_own(artist, ended, login):
    other = factories.member()
    for owner in (artist, other):
        ended(claimed(owner)[1])
    login(artist).post("/inbox/reading/")
    unread = Notice.objects.filter(read_at=None)
    assert [notice.user for notice in unread] == [other]


def test_the_inbox_goes_on_by_key_and_costs_the_same(artist, login, django_assert_num_queries):
    client = login(artist)
    Notice.objects.create(user=artist, kind="take-ready", path="/studio/")
    client.get("/inbox/")
    with django_assert_num_queries(3):
        client.get("/inbox/")
    for _ in range(69):
        Notice.objects.create(user=artist, kind="take-ready", path="/studio/")
    Notice.objects.create(user=factories.member(), kind="take-failed")
    with django_assert_num_queries(3):
        client.get("/inbox/")
    seen, url = [], "/inbox/"
    while url:
        page = client.get(url)
        seen += [notice.pk for notice in page.context["notices"]]
        url = page.context["older"] and f"/inbox/{page.context['older']}"
    assert seen == sorted((notice.pk for notice in artist.notices.all()), reverse=True)


ENDS_OF_TIME = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]


@pytest.mark.parametrize(
    "after", ["", "x", "0000", "2026-13-45T99:99:99Z", "2026-11-24T10:00:00", "\0", *ENDS_OF_TIME]
)
def test_a_broken_key_begins_at_the_top(artist, login, after):
    Notice.objects.create(user=artist, kind="take-ready", path="/studio/")
    assert len(login(artist).get("/inbox/", {"after": after}).context["notices"]) == 1
