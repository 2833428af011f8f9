"""How admins grant GPU seconds: to one member, to a cohort, or by giving a cohort another allowance."""

from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _

from . import audit
from .allowance import AllowanceEntry
from .audit import AuditEntry
from .exclusion import Impossible, check_runs_program, locked
from .membership import Cohort, Membership
from .notice import Notice
from .user import User

TO_MEMBER, TO_COHORT = "allowance.granted", "cohort.granted"


@transaction.atomic
def grant_extra(membership: Membership, seconds: int, *, by: User | None, seen: int | None = None) -> bool:
    """Gives one member more seconds, or fewer (below zero). `seen` is what `latest` told when the page was shown."""
    membership = locked(membership)
    check_runs_program(by)
    if hasattr(membership, "ending"):
        raise Impossible(_("This membership has ended: it gets no more seconds."))
    if membership.cohort.allowance is None:
        raise Impossible(_("This member’s cohort has no limit, so there is nothing to add to."))
    if _is_done(membership, TO_MEMBER, seconds, by=by, seen=seen):
        return False
    grant_each([(membership, seconds)], by=by)
    audit.record(TO_MEMBER, by=by, subject=membership, words=f"{seconds} s")
    return True


@transaction.atomic
def grant_to_cohort(cohort: Cohort, seconds: int, *, by: User | None, seen: int | None = None) -> bool:
    """Gives each member of a cohort the same extra seconds."""
    cohort = Cohort.objects.select_for_update().get(pk=cohort.pk)
    check_runs_program(by)
    if cohort.allowance is None:
        raise Impossible(_("This cohort has no limit, so there is nothing to add to."))
    if _is_done(cohort, TO_COHORT, seconds, by=by, seen=seen):
        return False
    grant_each([(member, seconds) for member in present(cohort)], by=by)
    audit.record(TO_COHORT, by=by, subject=cohort, words=f"{seconds} s")
    return True


def adjust(members: list[Membership], *, before: int | None, after: int | None, by: User | None) -> None:
    """Gives members what another allowance makes of theirs, when their cohort's changes or they change cohorts.

    From M to N seconds each gets N - M, so that what they have spent stays spent. From no limit to N each gets what
    makes N of their balance, whatever was spent before anybody counted. Without a limit there is nothing to give.
    """
    if after is None:
        return
    held = _locked_balances(members) if before is None else {}
    grant_each([(member, after - held.get(member.pk, before)) for member in members], by=by)


@transaction.atomic
def grant_each(given: list[tuple[Membership, int]], *, by: User | None) -> None:
    """Grants to thousands at the price of a few queries, and tells those who got more."""
    held = _locked_balances([member for member, _seconds in given])
    given = [(member, seconds) for member, seconds in given if seconds]
    AllowanceEntry.objects.bulk_create(
        AllowanceEntry(
            membership=member,
            kind=AllowanceEntry.Kind.GRANTED,
            seconds=seconds,
            balance=held[member.pk] + seconds,
            by=by,
        )
        for member, seconds in given
    )
    Notice.objects.bulk_create(
        Notice(user_id=member.user_id, kind=Notice.Kind.ALLOWANCE_GRANTED, path=reverse("allowance"))
        for member, seconds in given
        if seconds > 0
    )


def present(cohort: Cohort) -> list[Membership]:
    """Its members, locked; the suspended too, who may come back. Whose membership has ended gets nothing more."""
    members = Membership.objects.filter(cohort=cohort, ending=None).order_by("pk")
    return list(members.select_for_update(of=("self",), no_key=True))


def latest(to: Membership | Cohort) -> int:
    """Where the last grant stands in the audit log: forms carry it, so that a second click grants nothing twice."""
    act = TO_MEMBER if isinstance(to, Membership) else TO_COHORT
    return next(iter(_granted(act, to)), AuditEntry(sequence=0)).sequence


def _is_done(to, act: str, seconds: int, *, by: User | None, seen: int | None) -> bool:
    """Was exactly this granted already by this person from this page? Raises if anything else was granted since."""
    granted = list(_granted(act, to)[:2])
    sequences = [entry.sequence for entry in granted] + [0, 0]
    if seen is None or sequences[0] == seen:
        return False
    if sequences[1] == seen and granted[0].by == by and granted[0].words == f"{seconds} s":
        return True
    raise Impossible(
        _(
            "Seconds were granted here since this page was shown. "
            "Look at the ledger, and grant again if it is still right."
        )
    )


def _granted(act: str, to):
    return AuditEntry.objects.filter(act=act, subject=audit.name_of(to)).order_by("-sequence")


def _locked_balances(members: list[Membership]) -> dict[int, int]:
    """{membership's pk: balance} with each row locked, so that no entry comes in between."""
    rows = Membership.objects.filter(pk__in=[member.pk for member in members]).order_by("pk")
    held = dict.fromkeys(rows.select_for_update(no_key=True).values_list("pk", flat=True), 0)
    latest = AllowanceEntry.objects.filter(membership__in=list(held)).values("membership")
    newest = AllowanceEntry.objects.filter(pk__in=latest.annotate(newest=Max("pk")).values("newest"))
    return held | dict(newest.values_list("membership", "balance"))
