"""THE GATE: decisions, publications and takedowns, and the checks before them. Nothing else creates these records.

Every act locks the submission's row first and the audit chain's head last. Rows come first and bytes second: no
byte is public before its row says so, and none is served after the row that ends it.
"""

import logging
from datetime import datetime
from enum import Enum

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User, allowance, audit, exclusion
from accounts.models.membership import Role
from accounts.permissions import can_review, can_take_down
from generation import storage

from . import clocks, journal, policy, remarks, searching
from .models import Approval, Claim, Decision, Publication, Submission, Takedown
from .permissions import Conflict, NotAllowed, check_can_decide, check_still_in

log = logging.getLogger(__name__)


class NotPublishable(NotAllowed):
    """A submission that can't become public, with the reason in a sentence."""


# --- Deciding ------------------------------------------------------------------------------------


def decide(
    submission: Submission,
    *,
    by,
    outcome: str,
    content_hash: str,
    reasons: list[str] = (),
    note: str = "",
    said_of_frames: list[dict] = (),
    policy_version: str | None = None,
) -> Decision:
    """Records an approval or a refusal of exactly the content that the reviewer saw, by the policy that they saw, with
    their remarks on frames.

    `policy_version`: what their page showed; None stands for the one that holds.
    """
    if not can_review(by):
        raise NotAllowed(_("Only reviewers decide on clips."))
    if outcome == Decision.Outcome.REFUSE and not (reasons and note.strip()):
        raise NotAllowed(
            _("A refusal names at least one clause of the policy and says in a note what to change.")
        )
    if outcome == Decision.Outcome.APPROVE and reasons:
        raise NotAllowed(_("An approval has no reasons for a refusal. Untick them, or refuse."))
    publication = None
    with transaction.atomic():
        submission = _locked(submission)
        remarks.check(said_of_frames, frames=submission.clip.frames)
        check_still_in(by)
        check_can_decide(submission, by, content_hash=content_hash)
        held = policy.check_cited(reasons, shown=policy_version)
        decision = Decision.objects.create(
            submission=submission,
            outcome=outcome,
            content_hash=content_hash,
            by=by,
            policy_version=held.name,
            reasons=" ".join(clause.code for clause in held.clauses_of(reasons)),
            note=note.strip(),
            remark_count=len(said_of_frames),
        )
        remarks.keep(said_of_frames, decision=decision)
        Claim.objects.filter(submission=submission).delete()
        clocks.stop(submission)
        if not decision.is_approval:
            allowance.give_back(submission.clip.job_id)
        publishes = decision.is_approval and submission.publish_on_approval
        if publishes and not _is_kept_out(submission.artist_id):  # who is suspended publishes on return
            publication = Publication.objects.create(
                approval_id=decision.pk, content_hash=content_hash, by=submission.artist
            )
            searching.note(publication, submission.content)
        audit.record(
            f"submission.{'approved' if decision.is_approval else 'refused'}", by=by, subject=submission
        )
        if publication:
            audit.record("publication.created", by=submission.artist, subject=publication)
    if publication:
        put_files_in_place(publication)
    return decision


# --- Publishing ----------------------------------------------------------------------------------


def check_can_publish(submission: Submission, by) -> Approval:
    """Returns the approval that allows it, or raises NotPublishable."""
    if submission.artist_id != by.pk:
        raise NotPublishable(_("Only the artist decides when an approved clip goes public."))
    approval = Approval.objects.filter(submission=submission).first()
    if approval is None:
        raise NotPublishable(_("This clip can't go public: no reviewer has approved it."))
    if approval.content_hash != submission.content_hash or not submission.is_whole:
        raise NotPublishable(_("This clip changed after it was approved. Submit it again."))
    if Takedown.objects.filter(publication__approval=approval).exists():
        raise NotPublishable(_("This clip was taken down. Submit it again if you want it back."))
    return approval


def publish(submission: Submission, *, by) -> Publication:
    """Makes an approved submission public; asked twice, it gives the same publication."""
    with transaction.atomic():
        submission = _locked(submission)
        check_still_in(by)
        approval = check_can_publish(submission, by)
        publication = Publication.objects.filter(approval=approval).first()
        if publication is None:
            publication = Publication.objects.create(
                approval=approval, content_hash=approval.content_hash, by=by
            )
            searching.note(publication, submission.content)
            audit.record("publication.created", by=by, subject=publication)
    put_files_in_place(publication)
    return publication


def put_files_in_place(publication: Publication) -> bool:
    """Copies the approved files into the public store, each proven by its sha256 on the way; repeatable.

    False if that failed: the publication then shows no bytes until the sweep has mended it, never other bytes.
    """
    try:
        _copy_files(publication)
        copied = True
    except (OSError, storage.Damaged):
        log.exception("the files of publication %s could not be put in place", publication.pk)
        copied = False
    with transaction.atomic():  # a takedown may have come while the files, or some of them, were being copied
        _locked(publication.submission)
        taken_down = Takedown.objects.filter(publication=publication).exists()
    if taken_down:
        remove_files(publication)
    return copied and not taken_down


def _copy_files(publication: Publication) -> None:
    """What to copy is read from the approved text itself, as everything public is."""
    public = storage.public()
    for kind, file in publication.submission.work["files"].items():
        name = publication.file_name(kind)
        if not public.holds(name, size=file["size"]):
            source = storage.private().blocks(storage.private_name(file["sha256"]))
            public.write(name, source, sha256=file["sha256"])


def has_its_files(publication: Publication) -> bool:
    """Are all public files there, and of the right size? A store that is away shows none."""
    public, files = storage.public(), publication.submission.work["files"].items()
    try:
        return all(public.holds(publication.file_name(kind), size=file["size"]) for kind, file in files)
    except OSError:
        log.exception("the public store doesn't answer")
        return False


# --- Taking down ---------------------------------------------------------------------------------


def check_can_take_down(publication: Publication, by) -> None:
    if not (can_take_down(by) or publication.submission.artist_id == by.pk):
        raise NotAllowed(_("Only the artist, reviewers and admins can take a clip down."))


def take_down(publication: Publication, *, by, reason: str = "") -> Takedown:
    """Ends a publication for good, from the very next request on; asked twice, it gives the same takedown.

    Raises Conflict if somebody else has ended it already: then the reason given now is not the recorded one.
    """
    with transaction.atomic():
        _locked(publication.submission)
        check_still_in(by)
        check_can_take_down(publication, by)
        takedown = Takedown.objects.filter(publication=publication).first()
        if takedown is None:
            takedown = Takedown.objects.create(publication=publication, by=by, reason=reason.strip())
            searching.forget(publication)
            entry = audit.record("publication.taken_down", by=by, subject=publication, words=takedown.reason)
            # No partial: Django names a callback that failed by its __qualname__, and fails itself without one.
            transaction.on_commit(lambda: journal.write(entry), robust=True)
        elif takedown.by_id != by.pk:
            raise Conflict(_("Somebody else has taken this clip down already. Your reason was not recorded."))
    remove_files(publication)
    return takedown


class Replayed(Enum):
    ALREADY = "was over in this database, too"
    AGAIN = "ended again"
    UNKNOWN = "never approved in this database"


def replay_takedown(
    publication_id: str, *, slug: str | None, content_hash: str | None, at: datetime | None, by: User | None
) -> Replayed:
    """Ends, after a restore, what the journal says was ended. A backup may be from before the publication itself:

    then both are recorded in one act, so that the approval which it does know can't make the clip public again.
    """
    with transaction.atomic():
        publication = Publication.objects.filter(pk=publication_id).first()
        if publication is None:
            approval = Approval.objects.filter(content_hash=content_hash, publication=None).first()
            if approval is None or not slug:
                return Replayed.UNKNOWN
            submission = _locked(approval.submission)
            publication = Publication.objects.create(
                id=publication_id,
                slug=slug,
                approval=approval,
                content_hash=approval.content_hash,
                by=submission.artist,
            )
            audit.record("publication.created", by=submission.artist, subject=publication)
        _locked(publication.submission)
        outcome = Replayed.ALREADY
        if not Takedown.objects.filter(publication=publication).exists():
            by = by or _an_admin()
            reason = _("Replayed from the journal after a restore; the reason given then is not in it.")
            Takedown.objects.create(publication=publication, by=by, at=at or timezone.now(), reason=reason)
            searching.forget(publication)
            entry = audit.record("publication.taken_down", by=by, subject=publication, words=reason)
            transaction.on_commit(lambda: journal.write(entry), robust=True)
            outcome = Replayed.AGAIN
    remove_files(publication)
    return outcome


def _an_admin() -> User:
    """In whose name a takedown is replayed whose author came after the backup."""
    found = User.objects.filter(membership__role=Role.ADMIN).order_by("date_joined", "pk").first()
    if found is None:
        raise NotAllowed(
            _(
                "A takedown can't be replayed: its author isn't in this backup, and no admin is. Invite one first."
            )
        )
    return found


def remove_files(publication: Publication) -> None:
    """The view stopped serving them with the row; what can't be deleted now, the sweep deletes."""
    try:
        storage.public().delete_folder(publication.slug)
    except OSError:
        log.exception("the files of publication %s could not be removed", publication.pk)


def _is_kept_out(user_id) -> bool:
    return exclusion.kept_out().filter(user=user_id).exists()


def _locked(submission: Submission) -> Submission:
    return Submission.objects.select_for_update().get(pk=submission.pk)


__all__ = [
    "Conflict",
    "NotAllowed",
    "NotPublishable",
    "Replayed",
    "check_can_publish",
    "check_can_take_down",
    "decide",
    "has_its_files",
    "publish",
    "put_files_in_place",
    "replay_takedown",
    "take_down",
]
