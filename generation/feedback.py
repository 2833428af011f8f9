"""Feedback on takes: an artist gives, changes and takes back their own; the program's team reads it by model, without
names and without prompts."""

from collections.abc import Iterator

from django.db.models import Avg, Count, F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from .models import Clip, Feedback

COLUMNS = (
    "day",
    "model",
    "revision",
    "artist",
    "rating",
    "artifacts",
    "note",
    "width",
    "height",
    "frames",
    "steps",
)


def give(clip: Clip, *, rating: int, artifacts: list[str], note: str) -> Feedback:
    """The owner's word on their clip; a second one replaces the first."""
    told = {"rating": rating, "artifacts": artifacts, "note": note, "at": timezone.now()}
    return Feedback.objects.update_or_create(clip=clip, defaults=told)[0]


def take_back(clip: Clip) -> None:
    Feedback.objects.filter(clip=clip).delete()


def by_model() -> list[dict]:
    """Each model that was rated: its id, how many ratings, and their mean."""
    return list(
        Feedback.objects.values(model=F("clip__job__model"))
        .annotate(count=Count("pk"), mean=Avg("rating"))
        .order_by("model")
    )


def rows(model: str = "") -> Iterator[list]:
    """All of it, or one model's, newest first, as COLUMNS says, one at a time."""
    found = Feedback.objects.select_related("clip__job").order_by("-at", "-pk")
    for given in (found.filter(clip__job__model=model) if model else found).iterator(chunk_size=500):
        clip = given.clip
        yield [
            f"{given.at:%Y-%m-%d}",
            clip.job.model,
            clip.recipe.get("revision", ""),
            _pseudonym(clip.owner_id),
            given.rating,
            " ".join(given.artifacts),
            given.note,
            clip.width,
            clip.height,
            clip.frames,
            clip.job.steps,
        ]


def _pseudonym(owner_id) -> str:
    """Tells one artist from another, and who they are to nobody: ids are in other tables, this is in none."""
    return salted_hmac("sorahub.feedback", str(owner_id), algorithm="sha256").hexdigest()[:12]
