"""Into the queue: takes that an artist asks for become jobs, or are refused with a sentence."""

import math
import uuid

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Membership, allowance, pause
from accounts.models.exclusion import kept_out

from .. import lineage, offers, rules, workers
from ..engine import Recipe, catalog
from ..models import Job, Picture, Seat


class Refused(Exception):
    """A take that isn't accepted now; says why in a sentence."""


class QueueFull(Refused):
    """A member who has as many jobs waiting as their cohort allows."""


class Paused(Refused):
    """The program takes no work."""


class NotOffered(Refused):
    """A model that the member's cohort may not use, or whose license nobody has acknowledged."""


class Unserved(Refused):
    """A model that none of the workers can run."""


class PictureMissing(Refused):
    """A picture that isn't there any more, or that nobody has vouched for."""


class Blocked(Refused):
    """Words that a rule of the program stops; `hits` say which."""

    def __init__(self, hits: list[rules.Hit]):
        super().__init__(rules.sentences(hits))
        self.hits = hits


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
    _lock_seat(owner)
    keys = _keys(form_key, takes)  # any of them: the first take may have been deleted since
    if form_key and (
        twin := Job.objects.filter(owner=owner, form_key__in=keys).order_by("created_at").first()
    ):
        return twin
    membership = _let_in(owner)
    _check_can_take(membership, recipe.model)
    if hits := rules.blocking(owner.pk, rules.words_of(recipe)):
        raise Blocked(hits)
    _check_served(recipe.model)
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


def _lock_seat(owner) -> None:
    mine = Seat.objects.select_for_update(no_key=True).filter(owner=owner)
    if not mine:  # their first take
        Seat.objects.get_or_create(owner=owner)
        mine.get()


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


def _check_served(model_id: str) -> None:
    """While no worker is up at all, a take waits until one is back: it may be started anew at this moment."""
    if workers.service_of(model_id) == workers.Service.UNABLE:
        raise Unserved(unserved_sentence(model_id))


def unserved_sentence(model_id: str) -> str:
    return _("No worker here can run %(model)s right now. Choose another model, or try again later.") % {
        "model": catalog.get(model_id).name
    }


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
