"""One mail a day: all that is unread and hasn't been told, once, to whoever chose it, and to nobody who is kept out."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts import digest, tasks
from accounts.models import Notice, User, exclusion, notice
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(login):
    member = factories.member(name="Ada Reader")
    assert login(member).post("/inbox/mail/", {"mail": "daily"}).status_code == 302
    return User.objects.get(pk=member.pk)


@pytest.fixture(autouse=True)
def line_now(settings):
    """The day's line is the hour that has just begun."""
    settings.DIGEST_HOUR = timezone.localtime().hour


def happened(user, kind="take-ready", *, ago=timedelta(hours=2), path="/studio/"):
    made = notice.notify(user, kind, path=path)
    Notice.objects.filter(pk=made.pk).update(at=timezone.now() - ago)
    return made


def test_one_mail_tells_all_that_is_unread_and_tells_nothing_twice(reader, settings):
    happened(reader, "question", path="/studio/submissions/1/")
    happened(reader, "used", path="")
    read = happened(reader, "take-failed")
    Notice.objects.filter(pk=read.pk).update(read_at=timezone.now())
    assert [digest.send_due() for _hour in range(2)] == [1, 0]
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([reader.email], "Your day at sorahub: 2 pieces of news")
    page = sent.alternatives[0][0]
    for told in ("A reviewer has a question for you", "The program has used a clip of yours"):
        assert told in sent.body
        assert told in page
    assert f"{settings.SITE_URL}/studio/submissions/1/" in sent.body
    assert "could not be made" not in sent.body
    happened(reader)
    tasks.send_digests()
    assert [message.subject for message in mail.outbox[1:]] == ["Your day at sorahub: one piece of news"]


def test_what_came_after_the_line_waits_for_the_next_one(reader, settings):
    settings.DIGEST_HOUR = (timezone.localtime() - timedelta(hours=1)).hour
    happened(reader, ago=timedelta(0))
    assert digest.send_due() == 0
    happened(
        reader, ago=timedelta(hours=26)
    )  # from before the line of the day before: every hour makes up for it
    assert digest.send_due() == 1
    assert Notice.objects.filter(digested_at=None).count() == 1


@pytest.mark.parametrize("hour", range(24))
def test_the_line_of_a_day_is_never_ahead_and_never_older_than_a_day(settings, hour):
    settings.DIGEST_HOUR = hour
    now = timezone.localtime()
    line = digest._last_line(now)
    assert line <= now < line + timedelta(days=1)
    assert (line.hour, line.minute) == (hour, 0)


def test_what_has_a_mail_of_its_own_is_not_told_again(reader):
    for kind in ("suspension-lifted", "role-changed", "factors-reset"):
        happened(reader, kind)
    assert (digest.send_due(), mail.outbox) == (0, [])


def test_what_was_told_before_somebody_chose_digests_is_not_told_again(login):
    member = factories.member()
    happened(member)
    login(member).post("/inbox/mail/", {"mail": "daily"})
    assert digest.send_due() == 0
    later = happened(member)
    login(member).post("/inbox/mail/", {"mail": "daily"})  # a second click takes nothing away
    assert Notice.objects.get(pk=later.pk).digested_at is None
    assert digest.send_due() == 1


@pytest.mark.parametrize("choice", ["at-once", "never"])
def test_who_chose_otherwise_gets_no_digest(login, choice):
    member = factories.member()
    login(member).post("/inbox/mail/", {"mail": choice})
    happened(member)
    assert digest.send_due() == 0


def test_who_is_kept_out_gets_none(reader, admin):
    happened(reader)
    exclusion.suspend(reader.membership, by=admin, reason="Why.")
    assert digest.send_due() == 0


def test_who_reads_once_a_day_gets_no_mail_in_between(reader, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        factories.asked(factories.submission(artist=reader))
    assert "question" in reader.notices.values_list("kind", flat=True)
    assert mail.outbox == []


def test_a_mail_server_that_is_away_loses_a_mail_and_no_line(reader, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    happened(reader)
    assert digest.send_due() == 0
    assert reader.notices.filter(read_at=None).count() == 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert (digest.send_due(), mail.outbox) == (0, []), (
        "whether it arrived nobody knows, so it isn't sent again"
    )


def test_a_long_day_is_cut_and_says_so(reader):
    for number in range(52):
        happened(reader, path=f"/studio/jobs/{number}/")
    digest.send_due()
    assert "And 2 more." in mail.outbox[0].body


@pytest.mark.parametrize("data", [{}, {"mail": ""}, {"mail": "hourly"}, {"mail": "a\0b"}])
def test_a_choice_that_there_is_not_changes_nothing(login, reader, data):
    answer = login(reader).post("/inbox/mail/", data)
    assert (answer.status_code, "Choose one of these." in answer.text) == (422, True)
    assert User.objects.get(pk=reader.pk).wants_digest


def test_the_inbox_shows_what_was_chosen(login, reader):
    assert login(reader).get("/inbox/").context["form"]["mail"].value() == "daily"
