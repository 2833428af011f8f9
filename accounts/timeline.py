"""What has happened to a member, told from records, oldest first; and what an event is, for other timelines too."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from .models import AllowanceEntry, AuditEntry, Membership, audit

MOST = 50  # of each kind, the latest


@dataclass(frozen=True)
class Event:
    title: str
    when: datetime | None = None
    tone: str = ""  # good, bad or now: as components/_timeline.html has them
    by: str = ""
    note: str = ""


def events(membership: Membership) -> list[Event]:
    """For admins: all that admins did with this member, and what the member answered."""
    invitation = membership.invitation
    told = [
        Event(
            _("Invited as %(role)s") % {"role": invitation.get_role_display()},
            invitation.created_at,
            by=_who(invitation.invited_by),
        ),
        Event(_("Joined"), membership.joined_at, "good"),
        *_role_changes(membership),
        *_moves(membership),
        *_suspensions(membership),
        *_factor_resets(membership),
        *_grants(membership),
    ]
    if ending := getattr(membership, "ending", None):
        told.append(Event(_("Membership ended"), ending.at, "bad", _who(ending.by), ending.reason))
    return sorted(told, key=lambda event: event.when)


def _role_changes(membership):
    for change in membership.role_changes.select_related("by").order_by("-pk")[:MOST]:
        roles = {"before": change.get_before_display(), "after": change.get_after_display()}
        yield Event(_("Role changed from %(before)s to %(after)s") % roles, change.at, by=_who(change.by))


def _moves(membership):
    entries = AuditEntry.objects.filter(act="member.moved", subject=audit.name_of(membership))
    for entry in entries.select_related("by").order_by("-sequence")[:MOST]:
        yield Event(_("Moved to another cohort"), entry.at, by=_who(entry.by), note=entry.words)


def _suspensions(membership):
    related = ("by", "lift__by", "objection__answer__by")
    for suspension in membership.suspensions.select_related(*related).order_by("-pk")[:MOST]:
        yield Event(_("Suspended"), suspension.at, "bad", _who(suspension.by), suspension.reason)
        if objection := getattr(suspension, "objection", None):
            yield Event(_("Objected"), objection.at, by=membership.user.name, note=objection.text)
            if answer := getattr(objection, "answer", None):
                yield Event(_("Objection answered"), answer.at, by=_who(answer.by), note=answer.text)
        if lift := getattr(suspension, "lift", None):
            yield Event(_("Suspension lifted"), lift.at, "good", _who(lift.by), lift.reason)


def _factor_resets(membership):
    for reset in membership.user.factor_resets.select_related("by").order_by("-pk")[:MOST]:
        yield Event(_("Second factors reset"), reset.at, by=_who(reset.by), note=reset.reason)


def _grants(membership):
    granted = membership.allowance_entries.filter(kind=AllowanceEntry.Kind.GRANTED)
    for entry in granted.select_related("by").order_by("-pk")[:MOST]:
        words = {"seconds": f"{entry.seconds:+}", "balance": entry.balance}
        yield Event(
            _("Allowance: %(seconds)s s, which makes %(balance)s s") % words, entry.at, by=_who(entry.by)
        )


def _who(user) -> str:
    return user.name if user else _("the operator")
