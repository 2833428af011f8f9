"""The kill switch, by the page and by the command line."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, Pause, Resumption, pause
from accounts.models.exclusion import Impossible
from generation import queue
from tests import factories

pytestmark = pytest.mark.django_db


def told(capsys, *words) -> str:
    call_command("program", *words)
    return capsys.readouterr().out


def test_the_page_pauses_and_resumes_and_members_read_why(login, admin, artist):
    office, studio = login(admin), login(artist)
    for _click in range(2):
        assert office.post("/program/pause/", {"reason": "New graphics cards."}).url == "/program/"
    assert Pause.objects.count() == 1
    assert "Paused" in office.get("/program/").text
    page = studio.get("/studio/").text
    assert "The program is paused" in page
    assert "New graphics cards." in page
    for _click in range(2):
        assert office.post("/program/resumption/").url == "/program/"
    assert Resumption.objects.count() == 1
    assert "The program is paused" not in studio.get("/studio/").text
    acts = ["program.paused", "program.resumed"]
    assert list(AuditEntry.objects.filter(act__in=acts).values_list("act", "by")) == [
        (act, admin.pk) for act in acts
    ]


def test_a_second_pause_keeps_the_first_one_s_reason(login, admin):
    office = login(admin)
    office.post("/program/pause/", {"reason": "First."})
    answer = office.post("/program/pause/", {"reason": "Second."}, follow=True)
    assert "It was paused already; that pause and its reason stay." in answer.text
    assert pause.current().reason == "First."


def test_the_command_says_pauses_and_resumes(capsys, admin):
    assert told(capsys, "status") == "The program runs: jobs are accepted and started.\n"
    assert "paused since" in told(capsys, "pause", "--reason", "A fire.")
    assert "by the operator. Members read: A fire." in told(capsys, "status")
    assert "paused already" in told(capsys, "pause", "--reason", "Another.")
    assert told(capsys, "resume") == "The program runs: jobs are accepted and started.\n"
    assert told(capsys, "resume").startswith("It wasn't paused.")
    with pytest.raises(CommandError, match="Only a pause has a reason"):
        call_command("program", "status", "--reason", "x")
    assert AuditEntry.objects.filter(act__startswith="program.", by=None).count() == 2


def test_only_admins_touch_the_switch(artist, reviewer):
    for by in (artist, reviewer):
        with pytest.raises(Impossible, match="no longer an admin"):
            pause.pause(by=by)
    pause.pause(by=None)
    for by in (artist, reviewer):
        with pytest.raises(Impossible, match="no longer an admin"):
            pause.resume(by=by)
    assert pause.current()


def test_nothing_is_accepted_or_started_while_it_is_paused(artist, admin):
    waiting = factories.job(artist)
    pause.pause(by=admin)
    assert queue.claim_next("tests") is None
    with pytest.raises(Exception, match="paused"):
        factories.job(artist)
    pause.resume(by=admin)
    assert queue.claim_next("tests").job_id == waiting.pk
