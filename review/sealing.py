"""What an artist sends to the desk and takes back, and the text that it becomes: all that a visitor could see or get.

Its public files are made by a worker, who then seals it: that is review.preparing's.
"""

import json
import unicodedata
from datetime import datetime

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import audit
from generation import rules, storage
from generation.models import Clip

from . import clocks, crediting, scheduling
from .models import Claim, Consent, Preparation, Submission, Use, Withdrawal
from .permissions import NotAllowed, check_can_submit, check_can_withdraw, check_still_in

CONTENT_VERSION = 2  # 1 had no further credits


def submit(
    clip: Clip,
    *,
    by,
    title: str,
    statement: str,
    discloses_recipe: bool = False,
    publish_on_approval: bool = False,
    credit: str = "",
    credits: str = "",
    consents: list[str] = (),
    publish_at: datetime | None = None,
    zone: str = "",
) -> Submission:
    """Begins a clip's way to the desk, which it reaches when its public files are made and it is sealed.

    `credit`: "" stands for the artist's name. `consents`: what is allowed besides the gallery, which submitting allows.
    `publish_at`, in a `zone`: when it goes public by itself, if it may then.

    Raises NotAllowed with a sentence if it can't go there now.
    """
    if publish_at and publish_on_approval:
        raise NotAllowed(_("Choose one: as soon as it is approved, or at a set time."))
    if publish_at:
        scheduling.check_time(publish_at)
    check_can_submit(clip, by)
    check_words(by, title, statement)
    _check_files(clip)  # asks the store, so it stays outside the transaction
    with transaction.atomic():
        clip = Clip.objects.select_for_update().get(pk=clip.pk)
        check_still_in(by)
        check_can_submit(clip, by)
        submission = Submission.objects.create(
            clip=clip,
            artist=by,
            version=clip.submissions.count() + 1,
            title=title,
            statement=statement,
            credit=credit,
            credits=credits,
            discloses_recipe=discloses_recipe,
            publish_on_approval=publish_on_approval,
        )
        Preparation.objects.create(submission=submission)
        for use in (Use.GALLERY, *consents):
            Consent.objects.give(submission, use, by=by)
        audit.record("submission.created", by=by, subject=submission)
        if publish_at:
            scheduling.begin(submission, by=by, publish_at=publish_at, zone=zone)
    return submission


def told(submission: Submission) -> dict:
    """What its artist has said with it, by the names that `submit` knows it by."""
    names = ("title", "statement", "credit", "credits", "discloses_recipe", "publish_on_approval")
    live = set(Consent.objects.live().filter(submission=submission).values_list("use", flat=True))
    schedule = submission.schedules.open().first()
    return {name: getattr(submission, name) for name in names} | {
        "consents": [use.value for use in Use if use in live and use != Use.GALLERY],
        "publish_at": schedule and schedule.publish_at,
        "zone": schedule.zone if schedule else "",
    }


class Blocked(NotAllowed):
    """Words that a rule of the program stops; `hits` say which."""

    def __init__(self, hits: list[rules.Hit]):
        super().__init__(rules.sentences(hits))
        self.hits = hits


def check_words(by, title: str, statement: str) -> None:
    if hits := rules.blocking(by.pk, public_words(title, statement)):
        rules.note(hits, owner_id=by.pk)
        raise Blocked(hits)


def public_words(title: str, statement: str) -> dict[str, str]:
    """As rules about words ask for them."""
    return {rules.Place.TITLE: title, rules.Place.STATEMENT: statement}


def content_of(submission: Submission) -> dict:
    """All that a visitor could see or get of this submission."""
    clip = submission.clip
    return {
        "version": CONTENT_VERSION,
        "title": submission.title,
        "statement": submission.statement,
        "credit": submission.credit or submission.artist.name,
        "credits": crediting.read(submission.credits),
        "recipe": disclosed(clip.recipe) if submission.discloses_recipe else None,
        "clip": {"width": clip.width, "height": clip.height, "frames": clip.frames, "fps": clip.fps},
        "files": {
            file.kind: {"sha256": file.sha256, "size": file.size, "content_type": file.content_type}
            for file in submission.files.all()
        },
    }


def disclosed(recipe: dict) -> dict:
    """The recipe without what concerns only operators; of a picture that stays private, only that there was one."""
    told = {name: value for name, value in recipe.items() if name not in ("versions", "image")}
    return told | ({"image": True} if recipe.get("image") else {})


def canonical(content: dict) -> str:
    """One spelling for one content: sorted keys, no spaces, Unicode NFC."""
    return json.dumps(_normal(content), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _normal(value):
    """NFC word by word: in the whole text, an accent after a line break would join the n of its `\\n`."""
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case dict():
            return {_normal(name): _normal(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_normal(inner) for inner in value]
    return value


@transaction.atomic
def withdraw(submission: Submission, *, by) -> Withdrawal:
    submission = Submission.objects.select_for_update().get(pk=submission.pk)
    check_can_withdraw(submission, by)
    withdrawal = Withdrawal.objects.create(submission=submission, by=by)
    Claim.objects.filter(submission=submission).delete()
    clocks.stop(submission)
    Preparation.objects.filter(submission=submission, ended_at=None).update(ended_at=Now(), lease_until=None)
    audit.record("submission.withdrawn", by=by, subject=submission)
    return withdrawal


def _check_files(clip: Clip) -> None:
    """A quick look: whether the bytes are still those that were made, the worker proves as it reads them."""
    try:
        whole = all(
            storage.private().holds(storage.private_name(file.sha256), size=file.size)
            for file in clip.renditions.all()
        )
    except OSError:
        raise NotAllowed(
            _("The store of files doesn't answer just now. Nothing was sent; try again in a minute.")
        ) from None
    if not whole:
        raise NotAllowed(_("A stored file of this clip is damaged or missing. Generate the take again."))
