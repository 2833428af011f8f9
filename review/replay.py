"""Ends again what the journal says was ended, where a backup from before was restored. Twice is as good as once."""

from accounts.models import AuditEntry, Invitation, Lift, Membership, Suspension, User, exclusion
from accounts.models.invitation import revoke

from . import consenting, gate, journal, scheduling
from .journal import Act
from .models import Consent, Schedule

REASON = "Replayed from the journal after a restore; what was said then is not in it."


def replay() -> list[str]:
    """Does all that can be done, and returns a sentence on each act: what was done, or what a person must look at.

    Raises gate.NotAllowed if a takedown can't be replayed: the site must not serve then.
    """
    acts = journal.read()
    known = set(AuditEntry.objects.filter(act__in=journal.ACTS).values_list("entry_hash", flat=True))
    told = [_take_down(act) for act in acts if act.act == journal.TAKEN_DOWN]
    told += [_revoke_consent(act) for act in acts if act.act == journal.CONSENT_REVOKED]
    told += [_call_off(act) for act in acts if act.act == journal.CALLED_OFF]
    told += [_end(act) for act in acts if act.act == journal.ENDED]
    told += [_revoke(act) for act in acts if act.act == journal.REVOKED]
    told += [_suspend_or_lift(act) for act in _last_words(acts) if act.entry not in known]
    told += [
        f"Look at the role of member {act.subject}: it was changed after this backup."
        for act in acts
        if act.act == journal.ROLE_CHANGED and act.entry not in known
    ]
    return [sentence for sentence in told if sentence]


def _take_down(act: Act) -> str:
    """For good, so it is done whatever this database knows."""
    told = act.told
    outcome = gate.replay_takedown(
        act.subject,
        slug=told.get("slug"),
        content_hash=told.get("content_hash"),
        at=act.at if told else None,
        by=_who(act),
    )
    return {
        gate.Replayed.ALREADY: "",
        gate.Replayed.AGAIN: f"Publication {act.subject} is taken down again.",
        gate.Replayed.UNKNOWN: f"Publication {act.subject} was taken down, and this backup knows no approval of it.",
    }[outcome]


def _revoke_consent(act: Act) -> str:
    consent = Consent.objects.live().filter(pk=act.subject).first()
    if consent is None:
        return ""
    consenting.replay_revocation(consent)
    return f"Consent {act.subject} to the use “{consent.use}” is revoked again."


def _call_off(act: Act) -> str:
    schedule = Schedule.objects.open().filter(pk=act.subject).first()
    if schedule is None:
        return ""
    scheduling.replay_calling_off(schedule)
    return f"Schedule {act.subject} is called off again."


def _end(act: Act) -> str:
    membership = Membership.objects.filter(user=act.subject, ending=None).first()
    if membership is None:
        return ""
    try:
        exclusion.end(membership, by=_admin(act), reason=REASON)
    except exclusion.Impossible as refusal:
        return f"The membership of {act.subject} was ended and is not ended again: {refusal}"
    return f"The membership of {act.subject} is ended again."


def _revoke(act: Act) -> str:
    invitation = Invitation.objects.filter(pk=act.subject, accepted_at=None, revoked_at=None).first()
    if invitation is None:
        return ""
    revoke(invitation, by=_who(act))
    return f"Invitation {act.subject} is taken back again."


def _last_words(acts: list[Act]) -> list[Act]:
    """Suspensions come and go: of each member, only the latest act says how it is."""
    return list({act.subject: act for act in acts if act.act in (journal.SUSPENDED, journal.LIFTED)}.values())


def _suspend_or_lift(act: Act) -> str:
    membership = Membership.objects.filter(user=act.subject).first()
    if membership is None:
        return ""  # came after the backup, and is not in it
    later = {"membership": membership, "at__gt": act.at}
    if Suspension.objects.filter(**later).exists() or _lifts(membership).filter(at__gt=act.at).exists():
        return ""
    in_force = membership.suspensions.in_force()
    if act.act == journal.SUSPENDED and not in_force.exists():
        try:
            exclusion.suspend(membership, by=_admin(act), reason=REASON)
        except exclusion.Impossible as refusal:
            return f"Member {act.subject} was suspended and is not suspended again: {refusal}"
        return f"Member {act.subject} is suspended again."
    if act.act == journal.LIFTED and in_force.exists():
        exclusion.lift(in_force.get(), by=_admin(act), reason=REASON)
        return f"The suspension of member {act.subject} is lifted again."
    return ""


def _lifts(membership: Membership):
    return Lift.objects.filter(suspension__membership=membership)


def _who(act: Act) -> User | None:
    return User.objects.filter(pk=act.by).first() if act.by else None


def _admin(act: Act) -> User | None:
    """In whose name a member is kept out or let in: nobody's, like on the command line, where this database doesn't
    know its author as an admin, who may have become one after the backup, or have been ended since the act."""
    return User.objects.filter(membership__in=exclusion.admins(), pk=act.by).first() if act.by else None
