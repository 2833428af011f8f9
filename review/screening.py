"""What machines notice about a submission while it is prepared: its picture, its words, and what it looks like.

A flag shows its evidence and moves a clip up. Nothing here approves, refuses or holds back, and whatever fails here is
said in the room and costs no submission anything. A worker's alone.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db.models import Case, F, Q, Value, When
from django.utils.translation import gettext as _

from generation import classifier, fingerprints, likeness, rules, wording
from generation.models import Fingerprint, Rendition

from . import leases, sensitivity
from .models import Flag, Inquiry, Screening, Sensitivity, Submission
from .models.flag import Kind

log = logging.getLogger(__name__)

MOST = 8  # flags of one kind: what a reviewer reads
WORDS_VERSION, LIKENESS_VERSION = "1", "1"  # of generation.wording and generation.likeness


@dataclass
class Seen:
    """What was looked for, and what of it was found: rows to be, kept together with the seal."""

    kinds: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    flags: list[Flag] = field(default_factory=list)


def look(submission: Submission, clip: Path, public: Path, *, beat: Callable[[], None]) -> Seen:
    """At a submission whose files were just made: `clip` as its artist sees it, `public` as everybody would.

    Each kind by itself: what keeps one from being looked for leaves the others. Only what ends the work altogether
    (leases.Lost, from `beat`) passes through.
    """
    seen = Seen()
    looks = {
        Kind.WORDS: lambda: words(submission),
        Kind.DUPLICATE: lambda: duplicates(submission, clip),
    }
    if settings.SCREEN_PICTURES:
        looks[Kind.PICTURE] = lambda: picture(public, submission.clip.frames, beat=beat)
    for kind, found in looks.items():
        try:
            seen.flags += found()
            seen.kinds.append(kind)
        except leases.Lost:
            raise
        except Exception as error:  # a library's own, or a store's: a person looks at the clip in any case
            log.error("screening for %s failed: %s", kind, type(error).__name__)
            seen.failed.append(kind)
        beat()
    return seen


def keep(submission: Submission, seen: Seen) -> None:
    """In the transaction of the seal, and before it: the clock that it starts asks for flags."""
    Screening.objects.create(submission=submission, kinds=" ".join(seen.kinds), failed=" ".join(seen.failed))
    for flag in seen.flags:
        flag.submission = submission
        flag.save(force_insert=True)


def mark(submission: Submission, seen: Seen) -> None:
    """In the same transaction, after the seal: what the classifier is surest of takes two people."""
    sure = [
        each for each in seen.flags if each.kind == Kind.PICTURE and each.score >= settings.SENSITIVE_SCORE
    ]
    if sure:
        percent = round(100 * max(each.score for each in sure))
        why = _("The picture: a machine takes it for nudity, by %(percent)s of 100.") % {"percent": percent}
        sensitivity.mark(
            submission, kind=Sensitivity.Kind.SENSITIVE, source=Sensitivity.Source.MACHINE, why=why
        )


# --- Each kind ----------------------------------------------------------------------------------------


def picture(video: Path, frames: int, *, beat: Callable[[], None]) -> list[Flag]:
    told = classifier.look(video, frames, beat=beat)
    if told.highest < settings.FLAG_SCORE:
        return []
    evidence = {"frames": [list(each) for each in told.scores], "from": settings.FLAG_SCORE}
    return [_flag(Kind.PICTURE, told.highest, evidence, classifier.NAME, told.version)]


def words(submission: Submission) -> list[Flag]:
    """Rules that flag, and rules that block: a clip may be older than a rule that would stop its prompt today."""
    recipe = submission.clip.recipe
    texts = {
        rules.Place.PROMPT: recipe["prompt"],
        rules.Place.NEGATIVE_PROMPT: recipe.get("negative_prompt", ""),
        rules.Place.TITLE: submission.title,
        rules.Place.STATEMENT: submission.statement,
    }
    return [_of_hit(hit) for hit in rules.hits(texts, rules.in_force())[:MOST]]


def _of_hit(hit: rules.Hit) -> Flag:
    evidence = {
        "rule": str(hit.rule.pk),
        "name": hit.rule.name,
        "version": hit.rule.version,
        "place": hit.place,
        "phrase": hit.found.phrase,
        "words": hit.found.words[: wording.PHRASE_LENGTH * 2],
        "blocks": hit.rule.blocks,
    }
    return _flag(Kind.WORDS, 1, evidence, "rules about words", WORDS_VERSION)


def duplicates(submission: Submission, clip: Path) -> list[Flag]:
    """Of other clips: that a new version looks like the one before it, its history says."""
    sha256 = submission.clip.rendition(Rendition.Kind.VIDEO).sha256
    mine = bytes(fingerprints.keep(sha256, clip).bits)
    others = remembered().exclude(clip=submission.clip_id)
    videos = {"clip__renditions__kind": Rendition.Kind.VIDEO}
    known = dict(others.filter(**videos).values_list("clip__renditions__sha256", "pk"))
    kept = Fingerprint.objects.filter(sha256__in=known).values_list("sha256", "bits")
    pairs = [(known[name], bytes(bits)) for name, bits in kept if bits]
    if not (mine and pairs):
        return []
    distances = likeness.distances(mine, [bits for _pk, bits in pairs])
    near = sorted(
        (float(distance), pk)
        for distance, (pk, _bits) in zip(distances, pairs, strict=True)
        if distance <= likeness.ALIKE
    )
    why = dict(others.filter(pk__in=[pk for _distance, pk in near[:MOST]]).values_list("pk", "why"))
    return [
        _flag(
            Kind.DUPLICATE,
            likeness.confidence(distance),
            {"submission": str(pk), "distance": round(distance, 3), "why": why[pk]},
            "likeness",
            LIKENESS_VERSION,
        )
        for distance, pk in near[:MOST]
    ]


def remembered():
    """Submissions that the next ones are compared with, each with its `why`. Reports count until they are answered."""
    ended = Q(decision__publication__takedown__isnull=False) & ~Q(
        decision__publication__takedown__by=F("artist")
    )
    refused = Q(decision__outcome="refuse")
    reported = Q(decision__publication__inquiry__in=Inquiry.objects.open())
    why = Case(
        When(refused, then=Value("refused")),
        When(ended, then=Value("taken-down")),
        default=Value("reported"),
    )
    return Submission.objects.filter(refused | ended | reported).annotate(why=why)


def _flag(kind: str, score: float, evidence: dict, by: str, version: str) -> Flag:
    told = json.dumps(evidence, sort_keys=True, ensure_ascii=False)
    return Flag(kind=kind, score=score, evidence=told, said_by=by, said_version=version)
