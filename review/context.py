"""What a reviewer should know beside the clip: how it came to be, what this artist submitted before, what has changed.

Takes that were never submitted, and pictures that an artist brought, stay their artist's: the desk is told that they
are there and how this clip came of them, and sees neither.
"""

from dataclasses import dataclass

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from generation import lineage
from generation.models import Clip
from generation.templatetags.compare_tags import Row, marked
from generation.templatetags.generation_tags import recipe_rows

from .models import Decision, Submission
from .models.submission import STATE_FACTS, state_of

DECISIONS = 8  # of this artist, the latest
RELATED = 8  # earlier works of the same family


@dataclass(frozen=True)
class Earlier:
    """What became of another submission of the same artist."""

    pk: object
    version: int
    title: str
    state: str
    at: object
    clauses: list
    is_same_clip: bool = False


@dataclass(frozen=True)
class Record:
    """An artist's submissions as they were decided so far."""

    approved: int
    refused: int
    latest: list[Earlier]


def record_of(submission: Submission, *, hidden=frozenset()) -> Record:
    """Two queries, whatever the artist has submitted. `hidden`: of which the viewer learns no outcome yet."""
    decided = Decision.objects.filter(submission__artist=submission.artist_id)
    decided = decided.exclude(submission__in={submission.pk, *hidden})
    counts = dict(decided.order_by().values_list("outcome").annotate(Count("pk")))
    latest = decided.select_related("submission", "publication__takedown").order_by("-at", "-pk")[:DECISIONS]
    return Record(
        approved=counts.get(Decision.Outcome.APPROVE, 0),
        refused=counts.get(Decision.Outcome.REFUSE, 0),
        latest=[_earlier(each.submission, each) for each in latest],
    )


def _earlier(submission: Submission, decision: Decision) -> Earlier:
    publication = getattr(decision, "publication", None)
    takedown = getattr(publication, "takedown", None)
    state = state_of(None, submission.content_hash, None, decision.outcome, publication, takedown)
    title = submission.work.get("title", "")
    return Earlier(submission.pk, submission.version, title, state, decision.at, decision.clauses)


def related(submission: Submission, *, hidden=frozenset()) -> list[Submission]:
    """What this work can be laid beside, newest first: earlier versions of the clip, and earlier works of its family
    that reached the desk. Each has `state`."""
    job = submission.clip.job
    kin = Clip.objects.visible_to(submission.artist_id).filter(lineage.related_clips(job))
    earlier = Submission.objects.at_the_desk().filter(
        Q(clip=submission.clip_id) | Q(clip__in=kin),
        artist=submission.artist_id,
        created_at__lt=submission.created_at,
    )
    names = [name for name in STATE_FACTS if name.startswith("decision__publication")]
    return list(
        earlier.exclude(pk__in={submission.pk, *hidden})
        .select_related("clip", "withdrawal", "decision", *names)
        .order_by("-created_at", "-pk")[:RELATED]
    )


def changes(earlier: Submission, submission: Submission) -> list[Row]:
    """The public words and the recipe of both, row by row; words that only one of them has are marked, and escaped."""
    old, new = _words(earlier), _words(submission)
    rows = []
    for term in dict.fromkeys([*old, *new]):
        one, other = str(old.get(term, "")), str(new.get(term, ""))
        rows.append(Row(term, *marked(one, other), one != other))
    return rows


def _words(submission: Submission) -> dict[str, str]:
    work, recipe = submission.work, submission.clip.recipe
    told = {_("Title"): work.get("title", ""), _("Statement"): work.get("statement", "")}
    told[_("Credit")] = work.get("credit", "")
    told[_("Prompt")] = recipe["prompt"]
    shown = _("shown to the public") if work.get("recipe") else _("kept private")
    return told | dict(recipe_rows(recipe)) | {_("Prompt and settings"): shown}


def origin(submission: Submission) -> list[str]:
    """How the take came to be, in sentences: what it came of, and what it begins with."""
    job, told = submission.clip.job, []
    if job.kind and job.parent:
        changed = ", ".join(str(words) for words in lineage.differences(job.parent, job))
        words = (
            _("Came of another take (%(kind)s): %(changes)s.")
            if changed
            else _("Came of another take (%(kind)s).")
        )
        told.append(words % {"kind": job.get_kind_display().lower(), "changes": changed})
    elif job.kind:
        told.append(
            _("Came of another take (%(kind)s), which is gone.") % {"kind": job.get_kind_display().lower()}
        )
    picture = job.picture
    if picture and picture.kind == picture.Kind.FRAME:
        told.append(_("Begins with the last frame of another take."))
    elif picture:
        told.append(
            _("Begins with a picture of %(width)s × %(height)s that its artist brought on %(day)s.")
            % {"width": picture.width, "height": picture.height, "day": f"{picture.at:%Y-%m-%d}"}
        )
        told.append(_("Their word on it: “%(words)s”") % {"words": picture.rights})
        told.append(
            _("The picture itself was promised to stay its artist's; what became of it is in the clip.")
        )
    return told
