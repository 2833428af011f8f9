"""After the fire: the same house on an empty machine, and nothing public again that was ended since the backup."""

import pytest
from django.contrib.sessions.models import Session
from django.core.management import CommandError
from django.db import connection
from django.test import RequestFactory

from accounts.models import AuditEntry, Invitation, Membership, User, audit, exclusion, roles
from accounts.models.invitation import invite, revoke
from generation import storage
from review import gate, journal, sweep, triggers
from review.models import Publication, Submission, Takedown
from sorahub.backup import marker, restoring
from sorahub.wsgi import application
from tests import factories

from .houses import files_under, manage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place(tmp_path):
    return tmp_path / "backups"


@pytest.fixture
def public():
    return factories.publication()


def asked(path: str) -> tuple[str, bytes]:
    """What a web process would answer, the guard before it included."""
    told = {}
    environ = RequestFactory().get(path).environ

    def start_response(status, headers, *_):
        told["status"] = status.split()[0]

    application.asked_at = float("-inf")
    answer = application(environ, start_response)
    body = b"".join(answer)
    getattr(answer, "close", lambda: None)()
    return told["status"], body


def test_the_house_comes_back_as_it_was(place, public, empty_house, settings, login):
    take = factories.clip(factories.member())
    ended = factories.publication()
    gate.take_down(ended, by=ended.submission.artist)
    before = files_under(settings.PRIVATE_STORE), files_under(settings.PUBLIC_STORE)
    gallery = login().get("/").text
    entries = AuditEntry.objects.count()
    manage("backup", place)
    empty_house()
    said = manage("restore", place)
    assert said.endswith("Restored. Members log in anew. Start web, workers and beat.\n")
    assert (files_under(settings.PRIVATE_STORE), files_under(settings.PUBLIC_STORE)) == before
    assert login().get("/").text == gallery
    assert factories.bytes_of(take)
    answer = login().get(f"/watch/{public.slug}/video.mp4", headers={"Range": "bytes=3-9"})
    assert (answer.status_code, answer.getvalue()) == (206, factories.bytes_of(public.submission)[3:10])
    assert login().get(f"/watch/{ended.slug}/").status_code == 410
    assert triggers.missing_triggers() == []
    assert list(audit.broken_entries()) == []
    assert AuditEntry.objects.count() == entries + 1
    assert AuditEntry.objects.latest("sequence").act == "house.restored"
    assert sweep.sweep(grace=0, reread=True) == sweep.Swept(orphans=0, mended=0, missing=0)
    assert asked("/")[0] == "200"
    factories.publication()  # numbers are given out from where they were


def test_only_the_database_was_lost(place, public, empty_house, settings):
    before = files_under(settings.PRIVATE_STORE)
    manage("backup", place)
    factories.clip(factories.member())  # newer than the backup, and on the disk
    empty_house(files=True)
    with pytest.raises(CommandError, match="hold 2 files that this backup doesn't know, such as"):
        manage("restore", place)
    manage("restore", place, force=True)
    assert len(files_under(settings.PRIVATE_STORE)) == len(before) + 2, (
        "the sweep may take them, not the restore"
    )
    assert Submission.objects.count() == 1


def test_everybody_logs_in_anew(place, public, empty_house, client):
    client.force_login(public.submission.artist, backend="accounts.backends.MemberBackend")
    assert client.get("/studio/").status_code == 200
    manage("backup", place)
    empty_house()
    manage("restore", place)
    assert not Session.objects.exists()
    assert client.get("/studio/").status_code == 302
    assert client.login(email=public.submission.artist.email, password=factories.PASSWORD)


# --- What was ended since the backup -------------------------------------------------------------


def test_what_was_taken_down_since_is_not_public_again(place, public, empty_house, login, reviewer):
    other = factories.publication()
    manage("backup", place)
    gate.take_down(public, by=reviewer, reason="It shows a real address.")
    there = empty_house()
    assert f"Publication {public.pk} is taken down again." in manage("restore", place)
    for page in ("", "video.mp4", "poster.jpg"):
        assert login().get(f"/watch/{public.slug}/{page}").status_code == 410
    assert set(files_under(there.public)) == {
        f"{other.slug}/{kind}" for kind in ("video", "poster", "sprite")
    }
    takedown = Takedown.objects.get(publication=public)
    assert takedown.by == reviewer
    assert "real address" not in takedown.reason
    assert list(audit.broken_entries()) == []
    manage("backup", place)
    empty_house()
    assert "taken down again" not in manage("restore", place), "the newer backup knows it"
    assert login().get(f"/watch/{public.slug}/").status_code == 410


def test_a_clip_published_and_taken_down_since_can_not_be_published_again(place, empty_house, login):
    approved = factories.submission()
    factories.decision(approved)
    manage("backup", place)
    public = gate.publish(approved, by=approved.artist)
    gate.take_down(public, by=approved.artist)
    empty_house()
    assert f"Publication {public.pk} is taken down again." in manage("restore", place)
    assert login().get(f"/watch/{public.slug}/").status_code == 410
    with pytest.raises(gate.NotPublishable, match="was taken down"):
        gate.publish(Submission.objects.get(pk=approved.pk), by=User.objects.get(pk=approved.artist_id))


def test_a_takedown_of_what_the_backup_never_approved_is_told(place, empty_house):
    waiting = factories.submission()
    manage("backup", place)
    public = factories.publication(waiting)
    gate.take_down(public, by=waiting.artist)
    empty_house()
    assert f"Publication {public.pk} was taken down, and this backup knows no approval" in manage(
        "restore", place
    )
    assert not Publication.objects.exists()


def test_a_takedown_by_somebody_who_came_later_is_in_an_admin_s_name(place, public, empty_house):
    admin = factories.member("admin")
    manage("backup", place)
    gate.take_down(public, by=factories.member("reviewer"), reason="A reason.")
    empty_house()
    manage("restore", place)
    assert Takedown.objects.get().by == admin


def test_without_anybody_to_name_the_restore_stays_unfinished(place, public, empty_house):
    manage("backup", place)
    gate.take_down(public, by=factories.member("reviewer"), reason="A reason.")
    empty_house()
    with pytest.raises(CommandError, match=r"no admin is\. Invite one first"):
        manage("restore", place)
    assert asked(f"/watch/{public.slug}/")[0] == "503"


def test_a_damaged_file_of_the_journal_still_ends_what_it_names(place, public, empty_house, settings, login):
    manage("backup", place)
    gate.take_down(public, by=public.submission.artist)
    factories.member("admin")
    (written,) = (settings.JOURNAL / journal.TAKEN_DOWN / str(public.pk)).iterdir()
    written.write_bytes(written.read_bytes()[:20])
    factories.member("admin")
    empty_house()
    with pytest.raises(CommandError, match="no admin is"):
        manage("restore", place)  # who did it stood in the part that is lost, and this house had no admin
    factories.member("admin")
    assert f"Publication {public.pk} is taken down again." in manage("restore", place)
    assert login().get(f"/watch/{public.slug}/").status_code == 410


def test_members_and_invitations_are_as_they_were_left(place, empty_house, admin):
    names = ("suspended", "lifted", "ended", "untouched")
    members = {name: factories.member(name=name).membership for name in names}
    earlier = exclusion.suspend(members["lifted"], by=admin, reason="A reason.")
    open_one, _ = invite("open@example.com", role="artist", cohort="First", by=admin)
    invite("kept@example.com", role="artist", cohort="First", by=admin)
    manage("backup", place)
    first = exclusion.suspend(members["suspended"], by=admin, reason="A secret reason.")
    exclusion.lift(first, by=admin)
    exclusion.suspend(members["suspended"], by=admin, reason="Another reason.")
    exclusion.lift(earlier, by=admin)
    exclusion.end(members["ended"], by=admin, reason="A reason.")
    revoke(open_one, by=admin)
    assert sweep.sweep().unjournaled == 0
    empty_house()
    said = manage("restore", place)
    out = {
        name: exclusion.kept_out().filter(user=membership.user_id).exists()
        for name, membership in members.items()
    }
    assert out == {"suspended": True, "lifted": False, "ended": True, "untouched": False}
    assert Membership.objects.get(pk=members["ended"].pk).ending.by == admin
    assert [invitation.email for invitation in Invitation.objects.open()] == ["kept@example.com"]
    for name, words in (("suspended", "is suspended again"), ("ended", "is ended again")):
        assert f"{members[name].user_id} {words}" in said
    assert list(audit.broken_entries()) == []


def test_what_admins_did_whom_the_backup_does_not_know_as_such_holds_all_the_same(
    place, empty_house, admin, artist, reviewer
):
    """The program changed hands after the backup: the new admin ended the old one, who had suspended somebody."""
    manage("backup", place)
    exclusion.suspend(artist.membership, by=admin, reason="A reason.")
    roles.change_role(reviewer.membership, "admin", by=admin)
    exclusion.end(admin.membership, by=reviewer, reason="A reason.")
    newer = factories.member("admin")
    exclusion.suspend(factories.member().membership, by=newer, reason="Who is in no backup.")
    sweep.sweep()
    empty_house()
    said = manage("restore", place)
    assert f"Member {artist.pk} is suspended again." in said
    assert f"The membership of {admin.pk} was ended and is not ended again: This is the last admin" in said
    assert f"Look at the role of member {reviewer.pk}" in said
    assert [kept.user for kept in exclusion.kept_out()] == [artist]
    assert asked("/")[0] == "200"


def test_an_admin_s_suspension_holds_although_that_admin_was_ended_later(place, empty_house, admin, artist):
    other = factories.member("admin")
    manage("backup", place)
    exclusion.suspend(artist.membership, by=admin, reason="A reason.")
    exclusion.end(admin.membership, by=other, reason="A reason.")
    sweep.sweep()
    empty_house()
    manage("restore", place)
    assert {kept.user for kept in exclusion.kept_out()} == {artist, admin}
    assert exclusion.Suspension.objects.get().by is None
    assert exclusion.Ending.objects.get().by == other


def test_a_journal_of_another_house_is_not_taken_for_this_one_s(
    place, public, empty_house, settings, tmp_path
):
    manage("backup", place)
    gate.take_down(public, by=public.submission.artist)
    here, settings.JOURNAL = settings.JOURNAL, tmp_path / "new machine" / "journal"
    there = empty_house()
    with pytest.raises(CommandError, match="names a journal that doesn't know this backup"):
        manage("restore", place)
    assert files_under(there.private) == {}
    said = manage("restore", place, without_journal=True)
    assert "No journal was replayed" in said
    assert not Takedown.objects.exists()
    settings.JOURNAL = here


# --- Half-way -------------------------------------------------------------------------------------


def test_a_restore_cut_off_serves_nothing_until_it_is_finished(
    place, public, empty_house, login, monkeypatch
):
    """The power fails at each step in turn, and each time the restore is run again."""
    manage("backup", place)
    gate.take_down(public, by=public.submission.artist)
    empty_house()

    def cut(*_):
        raise OSError("the machine lost its power")

    for step in ("_migrate", "_check_gate_and_chain", "_put_files", "_replay", "_close_doors"):
        with monkeypatch.context() as patched:
            patched.setattr(restoring, step, cut)
            with pytest.raises(CommandError, match="The restore broke off: the machine lost its power"):
                manage("restore", place)
        for page in ("/", f"/watch/{public.slug}/", f"/watch/{public.slug}/video.mp4", "/readyz"):
            assert asked(page) == ("503", marker.SENTENCE), step
        assert asked("/healthz")[0] == "200"
        assert login().get("/readyz").json()["restore"] is False
    with pytest.raises(CommandError, match="isn't finished"):
        manage("backup", place)
    manage("restore", place)
    assert asked("/")[0] == "200"
    assert asked(f"/watch/{public.slug}/video.mp4")[0] == "410"


def test_a_load_that_fails_leaves_the_database_empty_and_marked(place, public, empty_house, monkeypatch):
    manage("backup", place)
    empty_house()
    with monkeypatch.context() as patched:
        patched.setattr(restoring.database, "load", lambda source: (_ for _ in ()).throw(OSError("cut")))
        with pytest.raises(CommandError):
            manage("restore", place)
    assert (restoring.database.tables(), asked("/")[0]) == ([], "503")
    manage("restore", place)
    assert Publication.objects.count() == 1


def test_nothing_is_restored_over_a_house(place, public):
    manage("backup", place)
    with pytest.raises(CommandError, match="The database isn't empty"):
        manage("restore", place, force=True)
    assert marker.unfinished() is None
    assert Publication.objects.live().count() == 1


def test_another_backup_does_not_finish_what_one_began(place, public, empty_house, monkeypatch):
    manage("backup", place)
    manage("backup", place)
    older, newer = sorted(path for path in place.iterdir() if path.name.startswith("2"))
    empty_house()
    with monkeypatch.context() as patched:
        patched.setattr(restoring, "_replay", lambda: (_ for _ in ()).throw(OSError("cut")))
        with pytest.raises(CommandError):
            manage("restore", older)
    with pytest.raises(CommandError, match=f"The restore of {older.name} was begun here"):
        manage("restore", newer)
    manage("restore", older)


def test_a_house_that_was_tampered_with_is_not_served(place, public, empty_house):
    triggers.lower_gate()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_auditentry SET act = 'other' WHERE sequence = 2")
    triggers.raise_gate()
    manage("backup", place)
    empty_house()
    with pytest.raises(CommandError, match="Audit entry 2 was changed: this backup was made of a house"):
        manage("restore", place)
    assert asked("/")[0] == "503"


def test_a_gate_that_was_down_in_the_backup_is_raised(place, public, empty_house):
    triggers.lower_gate()
    manage("backup", place)
    triggers.raise_gate()
    empty_house()
    manage("restore", place)
    assert triggers.missing_triggers() == []


def test_processes_that_still_run_are_noticed(place, public, empty_house):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite doesn't tell who else is there")
    manage("backup", place)
    empty_house()
    other = connection.copy(alias="other")
    other.connect()
    with pytest.raises(CommandError, match="1 other sessions are connected to the database"):
        manage("restore", place)
    other.close()
    manage("restore", place)


def test_a_house_on_buckets_is_backed_up_and_restored_to_others(
    place, on_buckets, empty_house, settings, a_bucket
):
    public = factories.publication()
    whole = factories.bytes_of(public.submission)
    manage("backup", place)
    empty_house()
    settings.PRIVATE_STORE, settings.PUBLIC_STORE = a_bucket("new"), a_bucket()
    manage("restore", place)
    assert factories.bytes_of(Submission.objects.get()) == whole
    assert set(storage.public().names()) == {
        f"{public.slug}/{kind}" for kind in ("video", "poster", "sprite")
    }
