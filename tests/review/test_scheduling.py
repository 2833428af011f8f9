"""A set time: meant in the artist's zone, kept once and never early, and ended with a publication or a reason."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from accounts.models import AuditEntry, exclusion, pause
from review import consenting, gate, journal, replay, scheduling, sealing, tasks
from review.models import Publication, Schedule, ScheduleEnd, Submission
from review.permissions import Conflict, NotAllowed
from tests import factories
from tests.gate_sql import lowered

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def path(submission, act=""):
    return f"/studio/submissions/{submission.pk}/{act}"


def in_a_day(days=1) -> str:
    return f"{timezone.now() + days * DAY:%Y-%m-%dT%H:%M}"


def scheduled(submission, **changes) -> Schedule:
    told = {"publish_at": timezone.now() + DAY, "zone": "UTC"}
    return scheduling.schedule(submission, by=submission.artist, **told | changes)


def comes(schedule: Schedule) -> Schedule:
    """Its time, by moving the schedule: the clock is the database's. No code of the product can do this."""
    with lowered():
        before = {"at": timezone.now() - 2 * DAY, "publish_at": timezone.now() - timedelta(seconds=1)}
        Schedule.objects.filter(pk=schedule.pk).update(**before)
    return schedule


def outcome_of(schedule: Schedule) -> str:
    return ScheduleEnd.objects.get(schedule=schedule).outcome


@pytest.fixture
def approved():
    submission = factories.submission()
    factories.decision(submission)
    return Submission.objects.get(pk=submission.pk)


# --- Setting it ------------------------------------------------------------------------------------------


def test_a_time_is_set_when_submitting_and_shown_in_the_zone_it_was_meant_in(login, artist):
    clip = factories.clip(artist)
    day = timezone.now() + 2 * DAY
    data = {"title": "T", "publish_at": f"{day:%Y-%m-%d}T18:00", "zone": "Asia/Tokyo"}
    for _click in range(2):
        answer = login(artist).post(f"/studio/clips/{clip.pk}/submissions/", data)
        assert answer.status_code == 302
    made = Schedule.objects.get()
    assert f"{made.publish_at:%Y-%m-%d %H:%M}" == f"{day:%Y-%m-%d} 09:00"
    page = login(artist).get(answer.url).text
    shown = page.partition("(Asia/Tokyo)")[0].rpartition("<time")[2]
    assert "18:00" in shown
    assert 'datetime="' in shown


def test_without_a_zone_the_site_s_own_is_meant_and_said(login, approved, settings):
    settings.TIME_ZONE = "America/Lima"
    page = login(approved.artist).get(path(approved)).text
    assert "<span data-zone>America/Lima</span>" in page
    assert (
        login(approved.artist).post(path(approved, "schedule/"), {"publish_at": in_a_day()}).status_code
        == 302
    )
    assert Schedule.objects.get().zone == "America/Lima"


@pytest.mark.parametrize(
    "publish_at, zone, said",
    [
        ("", "UTC", "Choose a day and a time"),
        ("tomorrow", "UTC", "Write the time like"),
        ("2020-01-01T00:00", "UTC", "is past already"),
        ("0001-01-01T00:00", "Asia/Tokyo", "Write the time like"),
        ("9999-12-31T23:59", "America/Lima", "Write the time like"),
        ("9998-12-31T23:59", "UTC", "within a year"),
        ("2027-03-28T02:30", "Europe/Berlin", "no such time on that day"),
        ("2027-01-01T00:00", "Mars/Olympus", "time zone"),
        ("2027-01-01T00:00", "../../etc/passwd", "time zone"),
        ("a\0b", "UTC", "Null"),
    ],
)
def test_a_time_that_makes_no_sense_comes_back_with_a_sentence(login, approved, publish_at, zone, said):
    data = {"publish_at": publish_at, "zone": zone}
    answer = login(approved.artist).post(path(approved, "schedule/"), data)
    assert answer.status_code == 422
    assert said in answer.text
    assert not Schedule.objects.exists()
    clip = factories.clip(approved.artist)
    if publish_at:
        answer = login(approved.artist).post(
            f"/studio/clips/{clip.pk}/submissions/", {"title": "Kept", **data}
        )
        assert (answer.status_code, said in answer.text, "Kept" in answer.text) == (422, True, True)


def test_at_once_and_at_a_set_time_exclude_each_other(login, artist):
    clip = factories.clip(artist)
    data = {"title": "Kept", "publish_on_approval": "on", "publish_at": in_a_day()}
    answer = login(artist).post(f"/studio/clips/{clip.pk}/submissions/", data)
    assert (answer.status_code, "Choose one" in answer.text) == (422, True)
    at_once = factories.submission(publish_on_approval=True)
    with pytest.raises(Conflict, match="as soon as it is approved"):
        scheduled(at_once)


def test_another_time_takes_the_place_of_the_first_and_the_same_one_is_one(approved):
    first = scheduled(approved, publish_at=timezone.now() + DAY)
    assert scheduled(approved, publish_at=first.publish_at) == first
    second = scheduled(approved, publish_at=timezone.now() + 2 * DAY)
    assert (second.number, outcome_of(first)) == (2, "called-off")
    acts = AuditEntry.objects.filter(act__startswith="schedule.").order_by("sequence")
    assert [entry.act for entry in acts] == ["schedule.set", "schedule.called_off", "schedule.set"]


def test_a_time_is_called_off_and_then_nothing_happens(login, approved):
    held = scheduled(approved)
    for _click in range(2):
        assert login(approved.artist).post(path(approved, "calling-off/")).status_code == 302
    comes(held)
    assert (scheduling.publish_due(), Publication.objects.count()) == (0, 0)


def test_nobody_else_sets_a_time_or_calls_it_off(login, approved):
    held = scheduled(approved)
    for role in ("artist", "reviewer", "admin"):
        other = factories.member(role)
        for act in ("schedule/", "calling-off/"):
            assert login(other).post(path(approved, act), {"publish_at": in_a_day()}).status_code == 404
        with pytest.raises(NotAllowed, match="Only the artist"):
            scheduling.schedule(approved, by=other, publish_at=timezone.now() + DAY, zone="UTC")
        with pytest.raises(NotAllowed, match="Only the artist"):
            scheduling.call_off(approved, by=other)
    assert not hasattr(held, "end")


def test_what_can_not_go_public_any_more_gets_no_time(login, artist):
    refused, withdrawn = factories.submission(artist=artist), factories.submission(artist=artist)
    factories.decision(refused, "refuse")
    sealing.withdraw(withdrawn, by=artist)
    public = factories.publication(artist=artist).submission
    for over in (refused, withdrawn, public):
        answer = login(artist).post(path(over, "schedule/"), {"publish_at": in_a_day()})
        assert answer.status_code == 409
        assert "Set the time" not in login(artist).get(path(over)).text


# --- When it has come -----------------------------------------------------------------------------------------


def test_it_goes_public_at_its_time_and_not_before(login, approved):
    held = scheduled(approved)
    assert (scheduling.publish_due(), Publication.objects.count()) == (0, 0)
    tasks.publish_due()
    assert not Publication.objects.exists()
    comes(held)
    assert [scheduling.publish_due() for _worker in range(2)] == [1, 0]
    public = Publication.objects.get()
    assert (public.by, outcome_of(held)) == (approved.artist, "published")
    assert login().get(f"/watch/{public.slug}/video.mp4").getvalue() == factories.bytes_of(approved)
    assert [notice.kind for notice in approved.artist.notices.all()] == ["schedule-kept"]
    acts = AuditEntry.objects.order_by("-sequence")[:2]
    assert {entry.act for entry in acts} == {"publication.created", "schedule.kept"}
    late = login(approved.artist).post(path(approved, "calling-off/"))
    assert (late.status_code, "went public before" in late.text) == (409, True)


def _revoked(submission):
    consenting.revoke(submission, by=submission.artist, use="gallery")


def _suspended(submission):
    exclusion.suspend(submission.artist.membership, by=factories.member("admin"), reason="Why.")


def _taken_down(submission):
    factories.decision(submission)
    gate.take_down(gate.publish(submission, by=submission.artist), by=submission.artist)


def _withdrawn(submission):
    sealing.withdraw(submission, by=submission.artist)


@pytest.mark.parametrize(
    "happens, outcome, told",
    [
        (lambda submission: None, "undecided", ["schedule-failed"]),
        (lambda submission: factories.decision(submission, "refuse"), "refused", ["schedule-failed"]),
        (_withdrawn, "withdrawn", []),
        (_taken_down, "taken-down", ["schedule-failed"]),
        (
            lambda submission: (factories.decision(submission), _revoked(submission)),
            "revoked",
            ["schedule-failed"],
        ),
        (
            lambda submission: (factories.decision(submission), _suspended(submission)),
            "kept-out",
            ["schedule-failed"],
        ),
    ],
)
def test_the_gate_looks_again_and_the_artist_reads_why_it_said_no(login, happens, outcome, told):
    submission = factories.submission()
    held = scheduled(submission)
    happens(submission)
    submission.artist.notices.all().delete()
    comes(held)
    assert [scheduling.publish_due() for _round in range(2)] == [1, 0], "it is not tried for ever"
    assert outcome_of(held) == outcome
    assert not Publication.objects.live().exists()
    assert [notice.kind for notice in submission.artist.notices.all()] == told
    if outcome != "kept-out":
        assert str(ScheduleEnd.Outcome(outcome).label) in login(submission.artist).get(path(submission)).text
    assert AuditEntry.objects.filter(act="schedule.failed").count() == 1


def test_what_changed_behind_the_gate_s_back_is_told_too(approved):
    held = scheduled(approved)
    with lowered():
        Submission.objects.filter(pk=approved.pk).update(content_hash="0" * 64)
    comes(held)
    scheduling.publish_due()
    assert outcome_of(held) == "changed"


def test_a_pause_holds_back_no_publication(approved, admin):
    """It spends no GPU time; what was promised to the artist is kept."""
    held = comes(scheduled(approved))
    pause.pause(by=admin, reason="Why.")
    scheduling.publish_due()
    assert outcome_of(held) == "published"


def test_what_its_artist_has_published_by_hand_stays_one_publication(approved):
    held = scheduled(approved)
    public = gate.publish(approved, by=approved.artist)
    comes(held)
    scheduling.publish_due()
    assert (outcome_of(held), list(Publication.objects.all())) == ("published", [public])


def test_one_that_fails_keeps_no_other_from_its_time(approved):
    undecided = comes(scheduled(factories.submission()))
    good = comes(scheduled(approved))
    assert scheduling.publish_due() == 2
    assert [outcome_of(each) for each in (undecided, good)] == ["undecided", "published"]


def test_files_that_can_not_be_copied_are_mended_by_the_sweep(login, approved):
    from generation import storage
    from review import sweep

    held = comes(scheduled(approved))
    video = storage.private().path(storage.private_name(approved.files.get(kind="video").sha256))
    whole = video.read_bytes()
    video.unlink()
    scheduling.publish_due()
    slug = Publication.objects.get().slug
    assert outcome_of(held) == "published"
    assert login().get(f"/watch/{slug}/video.mp4").status_code == 404
    video.write_bytes(whole)
    sweep.sweep()
    assert login().get(f"/watch/{slug}/video.mp4").getvalue() == whole


def test_a_worker_whose_clock_is_fast_publishes_nothing_early(approved, monkeypatch):
    scheduled(approved)
    ahead = timezone.now() + 3 * DAY
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    assert (scheduling.publish_due(), Publication.objects.count()) == (0, 0)


# --- After a restore ---------------------------------------------------------------------------------------------


def test_what_was_called_off_after_the_backup_is_called_off_again(approved):
    held = scheduled(approved)
    with transaction.atomic():
        scheduling.call_off(approved, by=approved.artist)
        assert [journal.write(entry) for entry in AuditEntry.objects.filter(act__in=journal.ACTS)] == [True]
        transaction.set_rollback(True)
    _suspended(approved)
    assert Schedule.objects.open().get() == held
    assert [sentence for sentence in replay.replay() if "called off again" in sentence]
    assert outcome_of(held) == "called-off"
