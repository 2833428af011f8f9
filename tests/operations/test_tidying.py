"""What goes by itself, and what never does."""

from datetime import timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import AuditEntry, Notice
from accounts.models.notice import notify
from generation import pictures
from generation.models import Picture
from sorahub.tidying import Tidied, tidy
from tests import factories

from .houses import manage

pytestmark = pytest.mark.django_db


def test_ended_sessions_go_with_the_addresses_noted_for_them(artist, login):
    alive = login(artist)
    assert alive.get("/studio/").status_code == 200
    ended = login(artist).session.session_key
    Session.objects.filter(session_key=ended).update(expire_date=timezone.now() - timedelta(seconds=1))
    for key in (ended, alive.session.session_key):
        line, _ = UserSession.objects.get_or_create(
            session_key=key, defaults={"user": artist, "ip": "203.0.113.7"}
        )
        UserSession.objects.filter(pk=line.pk).update(last_seen_at=timezone.now() - timedelta(days=2))
    assert tidy() == Tidied(
        sessions=1, devices=1, confirmations=0, notices=0, pictures=0, copies=0, workers=0
    )
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [alive.session.session_key]
    assert alive.get("/studio/").status_code == 200
    assert tidy() == Tidied(
        sessions=0, devices=0, confirmations=0, notices=0, pictures=0, copies=0, workers=0
    )


def test_old_notices_go(artist, settings):
    old, new = notify(artist, Notice.Kind.TAKE_READY), notify(artist, Notice.Kind.TAKE_READY)
    Notice.objects.filter(pk=old.pk).update(at=timezone.now() - settings.KEEP_NOTICES - timedelta(hours=1))
    said = manage("tidy")
    assert said.startswith("0 sessions, 0 lines of sessions, 0 confirmations, 1 notices")
    assert said.endswith(", 0 unsent pictures and 0 staff copies deleted.\n")
    assert list(Notice.objects.all()) == [new]


def test_a_picture_that_was_never_sent_goes_when_its_draft_does_and_one_in_use_stays(artist):
    used, old, new = (factories.picture(artist) for _ in range(3))
    factories.job(artist, picture=used)
    long_ago = timezone.now() - pictures.KEEP_UNUSED - timedelta(hours=1)
    Picture.objects.filter(pk__in=[used.pk, old.pk]).update(at=long_ago)
    assert tidy().pictures == 1
    assert set(Picture.objects.all()) == {used, new}


def test_nothing_that_people_did_ever_goes_by_itself(artist):
    factories.publication()
    before = AuditEntry.objects.count()
    tidy()
    assert AuditEntry.objects.count() == before


def test_the_tidying_runs_by_itself(settings):
    from sorahub.celery import app

    app.loader.import_default_modules()
    scheduled = {each["task"] for each in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled <= set(app.tasks)
    assert "sorahub.tasks.tidy" in scheduled
