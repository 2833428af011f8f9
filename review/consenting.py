"""An artist allows a use of a work and takes that back, and an admin records what the program did under it."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import Prefetch
from django.utils.translation import gettext as _

from accounts.models import audit
from accounts.permissions import can_run_program

from . import gate, journal, news
from .models import Consent, ConsentedUse, Publication, Revocation, Submission, Use
from .models.consent import EXPLAINED
from .permissions import Conflict, NotAllowed, check_still_in


@dataclass(frozen=True)
class Allowed:
    """How it stands with one use of a work, and what was done under it."""

    use: Use
    line: str  # what it means
    consents: list[Consent]  # all that were given, the earliest first

    @property
    def consent(self) -> Consent | None:
        """The one that holds."""
        return self.consents[-1] if self.consents and self.consents[-1].is_live else None

    @property
    def revocation(self) -> Revocation | None:
        return self.consents[-1].revocation if self.consents and not self.consent else None

    @property
    def uses(self) -> list[ConsentedUse]:
        return [made for consent in self.consents for made in consent.uses.all()]


def told(submission: Submission) -> list[Allowed]:
    """Each use there is; two queries, whatever was given, revoked and done."""
    given = list(
        submission.consents.select_related("revocation")
        .prefetch_related(Prefetch("uses", ConsentedUse.objects.order_by("at", "pk")))
        .order_by("number")
    )
    return [Allowed(use, EXPLAINED[use], [each for each in given if each.use == use]) for use in Use]


OPEN = ("preparing", "unprepared", "waiting", "approved", "published")  # what can be, or become, public


def check_can_allow(submission: Submission, by) -> None:
    if submission.artist_id != by.pk:
        raise NotAllowed(_("Only the artist says what a clip may be used for."))
    if submission.state == "taken-down":
        raise Conflict(
            _("This clip was taken down, which is for good. Submit it again, and say then what you allow.")
        )
    if submission.state not in OPEN:
        raise Conflict(_("This version doesn’t become public any more, so there is nothing to allow."))


@transaction.atomic
def allow(submission: Submission, *, by, use: str) -> Consent:
    """Given twice, it is given once."""
    submission = _locked(submission)
    check_still_in(by)
    check_can_allow(submission, by)
    held = Consent.objects.live().filter(submission=submission, use=use).first()
    if held is not None:
        return held
    made = Consent.objects.give(submission, use, by=by)
    audit.record("consent.given", by=by, subject=made)
    return made


def check_can_revoke(submission: Submission, by) -> None:
    """At any time, whatever has become of the work: what was allowed is the artist's to take back."""
    if submission.artist_id != by.pk:
        raise NotAllowed(_("Only the artist takes back what they allowed."))


def revoke(submission: Submission, *, by, use: str) -> Revocation | None:
    """Takes a consent back; revoked twice, it is revoked once. None if it was never given.

    The gallery's ends the publication in the same transaction, for good: there is no moment in which a work is public
    without it, and the database would refuse one.
    """
    ended = None
    with transaction.atomic():
        submission = _locked(submission)
        check_still_in(by)
        check_can_revoke(submission, by)
        last = Consent.objects.filter(submission=submission, use=use).order_by("-number").first()
        if last is None:
            return None
        if not last.is_live:
            return last.revocation
        if use == Use.GALLERY:
            ended = Publication.objects.live().filter(approval__submission=submission).first()
        if ended is not None:
            gate.end(ended, by=by)
        made = Revocation.objects.create(consent=last, by=by)
        entry = audit.record("consent.revoked", by=by, subject=last)
        transaction.on_commit(lambda: journal.write(entry), robust=True)
    if ended is not None:
        gate.remove_files(ended)
    return made


def replay_revocation(consent: Consent) -> None:
    """After a restore, in the name of its artist, who may have been kept out since. What is public ends with it."""
    artist, submission = consent.submission.artist, consent.submission
    live = Publication.objects.live().filter(approval__submission=submission).first()
    if consent.use == Use.GALLERY and live is not None:
        gate.replay_takedown(str(live.pk), slug=live.slug, content_hash=live.content_hash, at=None, by=artist)
    with transaction.atomic():
        _locked(submission)
        Revocation.objects.create(consent=consent, by=artist)
        entry = audit.record("consent.revoked", by=artist, subject=consent)
        transaction.on_commit(lambda: journal.write(entry), robust=True)


def check_can_use(consent: Consent, by) -> None:
    if not can_run_program(by):
        raise NotAllowed(_("Only admins record what the program did with a work."))
    if consent.use == Use.GALLERY:
        raise Conflict(_("The gallery’s use is the publication itself: there is nothing more to record."))
    if not consent.is_live:
        raise Conflict(
            _("The artist has revoked this consent. Don’t use the work, and end what you can of it.")
        )
    if consent.submission.state != "published":
        raise Conflict(_("This work isn’t public any more, so nothing new is done with it."))


@transaction.atomic
def use(consent: Consent, *, by, place: str) -> ConsentedUse:
    """Records it and tells the artist; the same place said twice is one use."""
    _locked(consent.submission)
    place = place.strip()
    check_still_in(by)
    consent = Consent.objects.select_related("revocation", "submission__decision__publication__takedown").get(
        pk=consent.pk
    )
    check_can_use(consent, by)
    same = consent.uses.filter(place=place).first()
    if same is not None:
        return same
    made = ConsentedUse.objects.create(consent=consent, place=place, by=by)
    audit.record("consent.used", by=by, subject=consent)
    news.tell_of_use(consent.submission)
    return made


def _locked(submission: Submission) -> Submission:
    return Submission.objects.select_for_update().get(pk=submission.pk)
