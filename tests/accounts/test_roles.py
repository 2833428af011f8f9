"""Who may change whose role, and that the program always keeps somebody to run it."""

import threading

import pytest
from django.db import close_old_connections, connection

from accounts.models import AuditEntry, Cohort, Membership, RoleChange
from accounts.models.exclusion import Impossible, admins, end, lift, suspend
from accounts.models.roles import change_role, move
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_role_change_is_a_record_an_entry_a_notice_and_the_end_of_the_sessions(admin, artist, login):
    client = login(artist)
    assert client.get("/studio/").status_code == 200
    made = change_role(artist.membership, "reviewer", by=admin)
    assert (made.before, made.after, made.by) == ("artist", "reviewer", admin)
    assert Membership.objects.get(user=artist).role == "reviewer"
    entry = AuditEntry.objects.latest("sequence")
    assert (entry.act, entry.words, entry.by) == ("member.role_changed", "artist → reviewer", admin)
    assert artist.notices.get().kind == "role-changed"
    assert client.get("/studio/").url.startswith("/accounts/login/")


def test_the_same_role_again_changes_nothing(admin, artist, login):
    client = login(artist)
    assert change_role(artist.membership, "artist", by=admin) is None
    assert not RoleChange.objects.exists()
    assert client.get("/studio/").status_code == 200


@pytest.mark.parametrize("to", ["artist", "reviewer", "admin"])
def test_nobody_changes_their_own_role(admin, to):
    factories.member("admin")
    with pytest.raises(Impossible, match="Nobody changes their own role"):
        change_role(admin.membership, to, by=admin)
    assert not RoleChange.objects.exists()


@pytest.mark.parametrize("role", ["artist", "reviewer"])
def test_whoever_is_no_admin_changes_no_role(role, artist):
    by = factories.member(role)
    with pytest.raises(Impossible, match="no longer an admin"):
        change_role(artist.membership, "admin", by=by)
    with pytest.raises(Impossible, match="no longer an admin"):
        suspend(artist.membership, by=by, reason="A reason.")
    with pytest.raises(Impossible, match="no longer an admin"):
        end(artist.membership, by=by, reason="A reason.")


def test_an_admin_who_was_demoted_a_moment_ago_can_do_nothing_more(admin, artist):
    other = factories.member("admin")
    change_role(admin.membership, "artist", by=other)
    with pytest.raises(Impossible, match="no longer an admin"):
        change_role(artist.membership, "admin", by=admin)  # as a request does that began before


LAST = "This is the last admin"


@pytest.mark.parametrize(
    "act",
    [
        lambda last: change_role(last.membership, "artist", by=None),
        lambda last: suspend(last.membership, by=None, reason="A reason."),
        lambda last: end(last.membership, by=None, reason="A reason."),
    ],
    ids=["demotion", "suspension", "ending"],
)
def test_the_last_admin_stays(admin, act):
    with pytest.raises(Impossible, match=LAST):
        act(admin)
    other = factories.member("admin")
    suspension = suspend(other.membership, by=None, reason="A reason.")
    with pytest.raises(Impossible, match=LAST):  # a suspended admin runs nothing
        act(admin)
    lift(suspension, by=None)
    act(admin)
    assert [membership.user for membership in admins()] == [other]


def test_a_suspended_admin_is_not_the_last_and_can_be_ended(admin):
    other = factories.member("admin")
    suspend(other.membership, by=admin, reason="A reason.")
    end(other.membership, by=admin, reason="A reason.")
    assert [membership.user for membership in admins()] == [admin]


def test_the_role_of_an_ended_member_stays(admin, artist):
    end(artist.membership, by=admin, reason="A reason.")
    with pytest.raises(Impossible, match="has ended"):
        change_role(artist.membership, "reviewer", by=admin)
    with pytest.raises(Impossible, match="has ended"):
        move(artist.membership, Cohort.objects.create(name="Second"), by=admin)


def at_once(*acts) -> list:
    """Runs acts on threads that start together; gives what each returned or raised."""
    barrier, told = threading.Barrier(len(acts)), [None] * len(acts)

    def run(number, act):
        close_old_connections()
        barrier.wait()
        try:
            told[number] = act()
        except Impossible as refusal:
            told[number] = refusal
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return told


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("how", ["demotion", "suspension", "ending", "one of each"])
def test_admins_who_remove_each_other_at_once_leave_one(how):
    demote = lambda who, by: change_role(who.membership, "artist", by=by)  # noqa: E731
    keep_out = lambda who, by: suspend(who.membership, by=by, reason="A reason.")  # noqa: E731
    finish = lambda who, by: end(who.membership, by=by, reason="A reason.")  # noqa: E731
    acts = {"demotion": [demote], "suspension": [keep_out], "ending": [finish]}
    acts = acts.get(how, [demote, keep_out, finish])
    for _round in range(4):
        people = [factories.member("admin") for _number in range(3)]
        ring = zip(people, [*people[1:], people[0]], strict=True)
        told = at_once(
            *(
                lambda by=by, who=who, number=number: acts[number % len(acts)](who, by)
                for number, (by, who) in enumerate(ring)
            )
        )
        assert None not in told, "an act hung"
        left = set(admins().filter(user__in=people).values_list("user", flat=True))
        assert len(left) >= 1
        done = [each for each in told if not isinstance(each, Impossible)]
        assert len(done) == 3 - len(left)
        for person in people:  # the next round has its own
            if person.pk in left:
                Membership.objects.filter(user=person).update(role="artist")
