"""Cohorts: what another allowance makes of what its members have, on every way that one can come about."""

import uuid

import pytest

from accounts.models import AllowanceEntry, AuditEntry, Cohort, Membership, cohorts, grants
from accounts.models import allowance as ledger
from accounts.models.exclusion import Impossible, end, suspend
from accounts.models.invitation import accept, invite
from accounts.models.roles import move
from tests import factories

pytestmark = pytest.mark.django_db


def members_of(cohort, count=3):
    made = [factories.member() for _number in range(count)]
    Membership.objects.filter(user__in=made).update(cohort=cohort)
    return list(Membership.objects.filter(user__in=made).order_by("pk"))


def balances(members) -> list[int]:
    return [ledger._balance(member) for member in members]


def spend(member, seconds):
    ledger.reserve(member, seconds, job=uuid.uuid4())


@pytest.fixture
def cohort(db):
    return Cohort.objects.create(name="Second")


def test_from_no_limit_to_one_each_member_has_exactly_that(admin, cohort):
    members = members_of(cohort)
    spend(members[1], 70)  # while nobody counted
    ledger.grant(members[2], 500, by=admin)
    cohorts.change(cohort, by=admin, allowance=300)
    assert balances(members) == [300, 300, 300]
    told = AllowanceEntry.objects.filter(membership=members[1]).order_by("pk")
    assert list(told.values_list("seconds", flat=True)) == [-70, 370]


def test_from_one_limit_to_another_what_was_spent_stays_spent(admin, cohort):
    members = members_of(cohort)
    cohorts.change(cohort, by=admin, allowance=300)
    spend(members[0], 100)
    cohorts.change(cohort, by=admin, allowance=500)
    assert balances(members) == [400, 500, 500]
    cohorts.change(cohort, by=admin, allowance=50)
    assert balances(members) == [-50, 50, 50]  # and may go below zero: the next take needs a grant
    with pytest.raises(ledger.NotEnough):
        spend(Membership.objects.get(pk=members[0].pk), 1)


def test_without_a_limit_the_ledger_stays_and_nothing_is_refused(admin, cohort):
    members = members_of(cohort, 1)
    cohorts.change(cohort, by=admin, allowance=300)
    cohorts.change(cohort, by=admin, allowance=None)
    assert balances(members) == [300]
    spend(Membership.objects.get(pk=members[0].pk), 1000)
    assert balances(members) == [-700]


def test_the_same_allowance_again_grants_nothing(admin, cohort):
    members = members_of(cohort, 1)
    cohorts.change(cohort, by=admin, allowance=300, name="Second")
    entries = AuditEntry.objects.count()
    cohorts.change(cohort, by=admin, allowance=300, name="Second")
    assert balances(members) == [300]
    assert AuditEntry.objects.count() == entries


def test_nobody_else_gets_anything(admin, cohort):
    outside, (ended, suspended, _other) = factories.member(), members_of(cohort)
    end(ended, by=admin, reason="A reason.")
    suspend(suspended, by=admin, reason="A reason.")
    cohorts.change(cohort, by=admin, allowance=300)
    grants.grant_to_cohort(cohort, 40, by=admin)
    assert balances([ended, suspended, outside.membership]) == [0, 340, 0]
    assert [notice.kind for notice in outside.notices.all()] == []
    assert suspended.user.notices.filter(kind="allowance-granted").count() == 2


def test_extra_seconds_for_one_member(admin, cohort):
    first, second = members_of(cohort, 2)
    cohorts.change(cohort, by=admin, allowance=300)
    grants.grant_extra(Membership.objects.get(pk=first.pk), 25, by=admin)
    grants.grant_extra(Membership.objects.get(pk=second.pk), -25, by=admin)
    assert balances([first, second]) == [325, 275]
    assert second.user.notices.count() == 1, "nobody is told that they were granted less"


def test_where_nothing_is_counted_nothing_is_granted(admin, cohort):
    (member,) = members_of(cohort, 1)
    with pytest.raises(Impossible, match="no limit"):
        grants.grant_extra(member, 25, by=admin)
    with pytest.raises(Impossible, match="no limit"):
        grants.grant_to_cohort(cohort, 25, by=admin)
    assert not AllowanceEntry.objects.exists()


@pytest.mark.parametrize(
    "before, after, expected", [(300, 500, 400), (500, 300, 200), (None, 300, 300), (300, None, 200)]
)
def test_a_move_brings_the_difference(admin, before, after, expected):
    old = Cohort.objects.create(name="Old", allowance=None)
    new = Cohort.objects.create(name="New", allowance=after)
    (member,) = members_of(old, 1)
    cohorts.change(old, by=admin, allowance=before)
    spend(Membership.objects.get(pk=member.pk), 100)
    assert move(member, new, by=admin)
    assert Membership.objects.get(pk=member.pk).cohort == new
    assert balances([member]) == [expected]
    assert not move(member, new, by=admin), "a second click moves nobody"
    assert AuditEntry.objects.filter(act="member.moved").get().words == "Old → New"


def test_whoever_accepts_after_a_change_gets_the_new_allowance(admin, cohort):
    invitation, _link = invite("late@example.com", role="artist", cohort=cohort.name, by=admin)
    stale = type(invitation).objects.select_related("cohort").get(pk=invitation.pk)
    cohorts.change(cohort, by=admin, allowance=300)
    user = accept(stale, name="Late", password=factories.PASSWORD)
    assert balances([user.membership]) == [300]


def test_only_admins_change_cohorts(artist, reviewer, cohort):
    for by in (artist, reviewer):
        with pytest.raises(Impossible, match="no longer an admin"):
            cohorts.change(cohort, by=by, allowance=1)
        with pytest.raises(Impossible, match="no longer an admin"):
            grants.grant_to_cohort(cohort, 1, by=by)
        with pytest.raises(Impossible, match="no longer an admin"):
            cohorts.create(by=by, name="Third")
        with pytest.raises(Impossible, match="no longer an admin"):
            grants.grant_extra(by.membership, 1, by=by)
        with pytest.raises(Impossible, match="no longer an admin"):
            move(by.membership, cohort, by=by)
    assert not AllowanceEntry.objects.exists()


def test_a_thousand_members_are_granted_for_the_price_of_a_few_queries(
    admin, cohort, django_assert_max_num_queries
):
    members_of(cohort, 2)
    with django_assert_max_num_queries(20):
        cohorts.change(cohort, by=admin, allowance=300)
    members_of(cohort, 30)
    with django_assert_max_num_queries(20):
        cohorts.change(cohort, by=admin, allowance=400)
