"""Whose job runs next, who is running it, and how long that holds: the queue of record, in the database.

Messages only say "look"; losing one costs seconds, never a job. Every write about a running job goes through its
open Attempt, so that a worker whose lease has lapsed can't finish what another has taken over.
"""

import math
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, IntegerField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Membership, Pause, allowance, audit, pause
from accounts.models.exclusion import kept_out

from . import lineage, news, offers
from .engine import Recipe, catalog
from .models import Attempt, Clip, Job, Picture, Rendition, Seat
from .models.job import MAX_ATTEMPTS

CANDIDATES = 20  # members looked at in one claim before it gives up and is called again


class Refused(Exception):
    """A take that isn't accepted now; says why in a sentence."""


class QueueFull(Refused):
    """A member who has as many jobs waiting as their cohort allows."""


class Paused(Refused):
    """The program takes no work."""


class NotOffered(Refused):
    """A model that the member's cohort may not use, or whose license nobody has acknowledged."""


class PictureMissing(Refused):
    """A picture that isn't there any more, or that nobody has vouched for."""


class AllowanceSpent(Refused):
    """A member whose allowance doesn't reach."""


@transaction.atomic
def enqueue(
    owner,
    recipe: Recipe,
    *,
    takes: int = 1,
    form_key: uuid.UUID | None = None,
    picture: Picture | None = None,
    parent: Job | None = None,
) -> Job:
    """Adds as many takes as asked for, or none, and returns the first; the same form posted twice adds nothing.

    A recipe that begins with a picture needs that `picture`; `parent` is the take that this one comes of.

    The first take has the recipe's seed, each further one the next number. Caps are counted and the allowance is
    reserved under the lock of the member's seat. Raises Refused, with a sentence.
    """
    seat, _created = Seat.objects.get_or_create(owner=owner)
    Seat.objects.select_for_update(no_key=True).get(pk=seat.pk)
    keys = _keys(form_key, takes)  # any of them: the first take may have been deleted since
    if form_key and (
        twin := Job.objects.filter(owner=owner, form_key__in=keys).order_by("created_at").first()
    ):
        return twin
    membership = _let_in(owner)
    _check_can_take(membership, recipe.model)
    _check_room(membership, takes)
    price = price_of(recipe)
    _check_allowance(membership, takes, price)
    beginnings = {"picture": _locked(picture, owner, recipe), **_descent(parent, owner, recipe, picture)}
    batch = uuid.uuid4() if takes > 1 else None
    jobs = []
    for number, key in enumerate(keys):
        told = recipe.to_json() | {"seed": (recipe.seed + number) % (catalog.SEED_LIMIT + 1)}
        jobs.append(Job.objects.create(owner=owner, batch=batch, form_key=key, **told, **beginnings))
        allowance.reserve(membership, price, job=jobs[-1].pk)
    return jobs[0]


def _keys(form_key: uuid.UUID | None, takes: int) -> list[uuid.UUID]:
    """One for each take, the same ones each time that a form is posted."""
    first = form_key or uuid.uuid4()
    return [first, *(uuid.uuid5(first, str(number)) for number in range(1, takes))]


def _locked(picture: Picture | None, owner, recipe: Recipe) -> Picture | None:
    """The picture as it is now, kept from being deleted: the owner's, vouched for, and the one the recipe names."""
    if picture is None and not recipe.image:
        return None
    mine = Picture.objects.visible_to(owner).filter(pk=picture and picture.pk, sha256=recipe.image)
    found = mine.select_for_update(no_key=True).first()
    if found is None:
        raise PictureMissing(_("The picture is gone. Choose it again, or go on without it."))
    if found.needs_word:
        raise PictureMissing(_("Say first that you may use this picture."))
    return found


def _descent(parent: Job | None, owner, recipe: Recipe, picture: Picture | None) -> dict:
    """What a take keeps of where it comes from; a parent that was deleted meanwhile leaves no trace."""
    mine = Job.objects.visible_to(owner).filter(pk=parent and parent.pk)
    found = mine.select_for_update(no_key=True).first() if parent else None
    if found is None:
        return {}
    return {
        "parent": found,
        "kind": lineage.kind_of(found, recipe, picture),
        "family": lineage.family_of(found),
    }


def price_of(recipe: Recipe) -> int:
    """GPU seconds that are reserved for one take; what it costs in the end is never more."""
    return max(1, math.ceil(catalog.estimate_seconds(recipe)))


def _let_in(owner) -> Membership:
    """The member's row as it is now, locked: a suspension comes before this job or after it, never in between."""
    # Without its cohort, which is read after the lock: of a join, PostgreSQL drops a row that was moved meanwhile.
    membership = Membership.objects.select_for_update(no_key=True).filter(user=owner).first()
    if membership is None:
        raise PermissionDenied(_("The studio is for members of the program."))
    if kept_out().filter(pk=membership.pk).exists():
        raise PermissionDenied(_("Your membership is suspended or has ended."))
    return membership


def _check_can_take(membership: Membership, model_id: str) -> None:
    if found := pause.current():
        sentence = _("The program is paused: no takes are accepted right now. Your words are kept.")
        raise Paused(f"{sentence} {found.reason}".strip())
    if not membership.cohort.offers(model_id):
        raise NotOffered(_("Your cohort doesn't use this model. Choose another one."))
    if not offers.is_offered(model_id):
        raise NotOffered(
            _("This model waits for an admin to acknowledge its license. Choose another one meanwhile.")
        )


def _check_room(membership: Membership, takes: int) -> None:
    cap = membership.cohort.max_queued
    waiting = Job.objects.queued().filter(owner=membership.user_id).count()
    room = max((settings.MAX_QUEUED if cap is None else cap) - waiting, 0)
    if not room:
        raise QueueFull(
            _("You have %(count)s takes waiting, which is the most. Let some finish first.")
            % {"count": waiting}
        )
    if takes > room:
        raise QueueFull(
            _(
                "Your queue has room for %(room)s of these %(takes)s takes. Ask for fewer, or let some finish first."
            )
            % {"room": room, "takes": takes}
        )


def _check_allowance(membership: Membership, takes: int, price: int) -> None:
    left = allowance.left(membership)
    if left is None or takes * price <= left:
        return
    told = {"needed": takes * price, "left": max(left, 0), "takes": takes, "fit": max(left, 0) // price}
    if takes > 1 and told["fit"]:
        raise AllowanceSpent(
            _(
                "%(takes)s takes need about %(needed)s GPU seconds and you have %(left)s left, enough for %(fit)s. "
                "Ask for fewer, or ask the program's team for more."
            )
            % told
        )
    raise AllowanceSpent(
        ngettext(
            "This take needs about %(needed)s GPU seconds and you have %(left)s left. "
            "Ask the program's team for more.",
            "These takes need about %(needed)s GPU seconds and you have %(left)s left. "
            "Ask the program's team for more.",
            takes,
        )
        % told
    )


# --- Claiming ------------------------------------------------------------------------------------


@transaction.atomic
def claim_next(worker: str) -> Attempt | None:
    """Takes the next job by fair share: first the member who was served longest ago, up to a cap each.

    The member's seat is locked, passing over seats that another worker holds. What lets a member be served is asked
    again under that lock, in a statement of its own: the one that found the seat may have read an older truth.
    """
    for owner in list(in_turn(_may_be_served()).values_list("pk", flat=True)[:CANDIDATES]):
        seat = Seat.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=owner).first()
        if seat is None or not _may_be_served().filter(pk=owner).exists():
            continue
        job = Job.objects.queued().filter(owner=owner).order_by("created_at", "pk").first()
        if job is None:
            continue
        taken = (
            Job.objects.queued()
            .filter(pk=job.pk)
            .update(status=Job.Status.RUNNING, started_at=Now(), attempts_made=F("attempts_made") + 1)
        )
        if not taken:
            continue
        Seat.objects.filter(pk=owner).update(last_served_at=Now())
        return Attempt.objects.create(
            job=job, number=job.attempts_made + 1, worker=worker, lease_until=Now() + settings.LEASE
        )
    return None


def _may_be_served():
    """Seats with a job waiting and room under their cohort's cap; none of those kept out, none during a pause."""
    running = Job.objects.running().filter(owner=OuterRef("pk")).values("owner").annotate(count=Count("pk"))
    return Seat.objects.annotate(
        running=Coalesce(Subquery(running.values("count")), 0),
        cap=Coalesce(
            "owner__membership__cohort__max_running",
            Value(settings.MAX_RUNNING),
            output_field=IntegerField(),
        ),
    ).filter(
        Exists(Job.objects.queued().filter(owner=OuterRef("pk"))),
        ~Exists(kept_out().filter(user=OuterRef("pk"))),
        ~Exists(Pause.objects.in_force()),
        running__lt=F("cap"),
    )


def in_turn(seats):
    """Least recently served first."""
    return seats.order_by(F("last_served_at").asc(nulls_first=True), "pk")


def renew(attempt: Attempt, *, stage: str, step: int, preview: bytes | None = None) -> bool:
    """Extends the lease and tells the progress, in one write; False when the attempt is no longer this worker's.

    So it ends within a second of a suspension, too. Every condition stands in the update itself, without a join:
    Django would move it into a subquery, which PostgreSQL doesn't ask again after waiting for the row.
    A `preview` (JPEG) takes the place of the one before; without one, that one stays.
    """
    theirs = Job.objects.filter(pk=OuterRef("job_id"), owner__in=kept_out().values("user"))
    held = Attempt.objects.filter(~Exists(theirs), pk=attempt.pk, ended_at=None, lease_until__gt=Now())
    picture = {} if preview is None else {"preview": preview}
    return bool(held.update(lease_until=Now() + settings.LEASE, stage=stage, step=step, **picture))


def put_back_lapsed() -> int:
    """Ends attempts whose worker fell silent; their jobs wait again, or fail after the third. Returns how many."""
    lapsed = Attempt.objects.filter(ended_at=None, lease_until__lte=Now()).select_related("job")
    return sum(give_up(attempt, outcome=Attempt.Outcome.LAPSED, retry=True) for attempt in lapsed)


def is_waiting() -> bool:
    """Is there anything for a worker to do?"""
    return _may_be_served().exists() or Attempt.objects.filter(ended_at=None, lease_until__lte=Now()).exists()


# --- Ending --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stored:
    """A file that lies in the private store already."""

    kind: str
    sha256: str
    size: int


@transaction.atomic
def finish(
    attempt: Attempt, *, recipe: dict, width: int, height: int, frames: int, fps: float, files
) -> bool:
    """Makes the clip, once: False if the attempt lapsed or the job was cancelled meanwhile."""
    if not _end(attempt, Attempt.Outcome.SUCCEEDED, to=Job.Status.SUCCEEDED):
        return False
    job = Job.objects.get(pk=attempt.job_id)
    clip = Clip.objects.create(
        owner_id=job.owner_id, job=job, recipe=recipe, width=width, height=height, frames=frames, fps=fps
    )
    Rendition.objects.bulk_create(
        Rendition(clip=clip, kind=file.kind, sha256=file.sha256, size=file.size) for file in files
    )
    spent = (timezone.now() - attempt.started_at).total_seconds()
    allowance.settle(job.pk, max(1, math.ceil(spent)))
    return True


@transaction.atomic
def give_up(
    attempt: Attempt, *, retry: bool, outcome=Attempt.Outcome.FAILED, sentence: str = "", detail: str = ""
) -> bool:
    """Ends an attempt that made nothing: the job waits again if that can help, or fails with a sentence."""
    if retry and attempt.number < MAX_ATTEMPTS:
        return _end(attempt, outcome, to=Job.Status.QUEUED, detail=detail)
    if retry:
        sentence = _(
            "We tried %(count)s times and couldn't finish this take. It isn't your prompt: something on our "
            "side keeps failing. Try again later, or tell the program's team."
        ) % {"count": attempt.number}
    return _end(attempt, outcome, to=Job.Status.FAILED, error=sentence, detail=detail)


@transaction.atomic
def cancel(job: Job, *, by) -> bool:
    """Stops a job that waits or runs; its worker notices at the next renewal and ends the engine's work."""
    changed = Job.objects.filter(pk=job.pk, status__in=[Job.Status.QUEUED, Job.Status.RUNNING]).update(
        status=Job.Status.CANCELLED, finished_at=Now()
    )
    if changed:
        Attempt.objects.filter(job=job, ended_at=None).update(
            ended_at=Now(), outcome=Attempt.Outcome.CANCELLED, preview=None
        )
        allowance.give_back(job.pk)
        audit.record("job.cancelled", by=by, subject=job)
    return bool(changed)


def cancel_of_kept_out() -> int:
    """Cancels what the suspended and the ended still have waiting or running. Returns how many."""
    unfinished = Job.objects.filter(status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
    return sum(cancel(job, by=None) for job in unfinished.filter(owner__in=kept_out().values("user")))


def _end(attempt: Attempt, outcome: str, *, to: str, error: str = "", detail: str = "") -> bool:
    """Compare-and-set on the attempt and its job, both or neither; the job's row is locked first, as `cancel` does."""
    if Job.objects.select_for_update().filter(pk=attempt.job_id).first() is None:
        return False  # cancelled and deleted, while its worker was still at it
    held = Attempt.objects.filter(pk=attempt.pk, ended_at=None)
    if outcome == Attempt.Outcome.LAPSED:
        held = held.filter(lease_until__lte=Now())  # it may have been renewed since we looked
    if not held.update(ended_at=Now(), outcome=outcome, detail=detail[:2000], preview=None):
        return False
    over = to != Job.Status.QUEUED
    changed = (
        Job.objects.running()
        .filter(pk=attempt.job_id, attempts_made=attempt.number)
        .update(status=to, error=error, finished_at=Now() if over else None)
    )
    if not changed:
        raise IntegrityError(f"Attempt {attempt.pk} was open, but its job wasn't running it.")
    if to == Job.Status.FAILED:
        allowance.give_back(attempt.job_id)
    if over:
        # No partial: Django names a callback that failed by its __qualname__, and fails itself without one.
        transaction.on_commit(lambda: news.tell_of_end(attempt.job_id), robust=True)
    return True
