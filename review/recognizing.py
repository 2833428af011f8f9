"""Whose clip a file shows, by its signs: for the public by what was public, for the operator by everything there is.

The two are apart on purpose. What a stranger is told begins at publications, asks the same questions of every file, and
so depends on nothing that isn't public, neither in its words nor in its time.
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from time import monotonic

from django.db import transaction
from django.db.models import F, Q, QuerySet

from generation import likeness
from generation.models import Clip, Fingerprint, Mark, Rendition
from generation.models.mark import NUMBERS

from .models import Lookup, Proof, Publication, PublicFile, Sighting
from .signs import Signs, reread

NOBODYS = NUMBERS  # a number that no mark has, so that a file without one is asked about alike
NAMELESS = uuid.UUID(int=0)
AT_ONCE = 500  # files that are followed up in one round
ROUND = 20  # seconds after which it takes no further file: the same worker makes reviewers' copies
FAR = 0.4  # of the bits: two files of one clip are nearer, however they were cut


# --- For everybody --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What the public learns. Without a publication, nothing is recognized."""

    publication: Publication | None = None  # with its content, and maybe its takedown
    proof: Proof | None = None  # the strongest of those that lead there
    confidence: float = 0.0  # in a mark's number or in a likeness; bytes and manifests are certain
    looks_other: bool = False  # a mark that leads to a work which looks different

    @property
    def state(self) -> str:
        if self.publication is None:
            return "unknown"
        return "withdrawn" if hasattr(self.publication, "takedown") else "released"

    @property
    def percent(self) -> int:
        return int(100 * self.confidence)


def answer(signs: Signs) -> Answer:
    published = Publication.objects.with_content().select_related("takedown")
    of_clip = "approval__submission__clip__submissions"
    marked = Mark.objects.filter(number=NOBODYS if signs.number is None else signs.number)
    near = _near(signs.bits, _published_fingerprints())
    found = {
        Proof.BYTES: published.filter(approval__submission__files__sha256=signs.sha256),
        Proof.MANIFEST: published.filter(**{of_clip: signs.submission or NAMELESS}),
        Proof.MARK: published.filter(**{f"{of_clip}__in": marked.values("submission")}),
        Proof.LIKENESS: published.filter(_shows(_nearest(near))),
    }
    for proof, publications in found.items():
        if publication := _first_live(publications):
            return _answer(signs, publication, proof, near)
    return Answer()


def _published_fingerprints() -> QuerySet:
    """Of the public videos, and of the clips that they were made of: those have no label in the corner."""
    videos = {"kind": Rendition.Kind.VIDEO}
    public = PublicFile.objects.filter(**videos, submission__decision__publication__isnull=False)
    plain = Rendition.objects.filter(**videos, clip__submissions__decision__publication__isnull=False)
    return Fingerprint.objects.filter(
        Q(sha256__in=public.values("sha256")) | Q(sha256__in=plain.values("sha256"))
    )


def _shows(sha256s: list[str]) -> Q:
    submission = "approval__submission"
    return Q(**{f"{submission}__files__sha256__in": sha256s}) | Q(
        **{f"{submission}__clip__renditions__sha256__in": sha256s}
    )


def _first_live(publications: QuerySet) -> Publication | None:
    """The live one before those that were taken down, and the newest of either."""
    return publications.order_by(F("takedown").asc(nulls_first=True), "-published_at", "-pk").first()


def _answer(signs: Signs, publication: Publication, proof: Proof, near: dict[str, float]) -> Answer:
    if proof == Proof.LIKENESS:
        return Answer(publication, proof, likeness.confidence(min(near.values())))
    if proof != Proof.MARK:
        return Answer(publication, proof, 1.0)
    video = publication.work["files"]["video"]["sha256"] if publication.content else ""
    distance = _distance(signs.bits, video)
    return Answer(publication, proof, signs.confidence, looks_other=distance is not None and distance > FAR)


def _distance(bits: bytes, sha256: str) -> float | None:
    kept = Fingerprint.objects.filter(sha256=sha256).first()
    if not bits or kept is None or not kept.bits:
        return None
    return float(likeness.distances(bits, [kept.bits])[0])


# --- For the operator and the admins ---------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """A clip that the file shows; with a viewer, it is the copy that this person was given to look at."""

    clip: Clip
    proof: Proof  # the strongest
    confidence: float
    viewer: object = None
    standing: str = "unreleased"  # released or withdrawn, where it was public once

    @property
    def is_leak(self) -> bool:
        return self.viewer is not None or self.standing == "unreleased"


def everything(signs: Signs) -> list[Found]:
    """Every clip that the signs lead to, released or not, what is surest first.

    A mark that is read by nobody who doesn't know which numbers exist is read here, among all of them.
    """
    if signs.trace:
        signs = reread(signs, Mark.objects.numbers())
    found: dict[tuple, Found] = {}
    for each in _leads(signs):
        found.setdefault((each.clip.pk, each.viewer and each.viewer.pk), each)
    copied = {each.clip.pk for each in found.values() if each.viewer}
    told = [
        each
        for each in found.values()
        # That somebody's copy looks like the clip is nothing new.
        if each.viewer or each.proof != Proof.LIKENESS or each.clip.pk not in copied
    ]
    standings = _standings(each.clip for each in told)
    return [replace(each, standing=standings.get(each.clip.pk, "unreleased")) for each in told]


def _leads(signs: Signs) -> Iterator[Found]:
    """By what proves most first."""
    clips = Clip.objects.select_related("owner")
    for clip in clips.filter(Q(renditions__sha256=signs.sha256) | Q(submissions__files__sha256=signs.sha256)):
        yield Found(clip, Proof.BYTES, 1.0)
    if signs.submission:
        for clip in clips.filter(submissions=signs.submission):
            yield Found(clip, Proof.MANIFEST, 1.0)
    if signs.number is not None:
        for mark in Mark.objects.filter(number=signs.number).select_related("viewer"):
            for clip in clips.filter(submissions=mark.submission):
                yield Found(clip, Proof.MARK, signs.confidence, mark.viewer)
    near = _near(signs.bits, Fingerprint.objects.all())
    for sha256 in _nearest(near):
        for clip in clips.filter(Q(renditions__sha256=sha256) | Q(submissions__files__sha256=sha256)):
            yield Found(clip, Proof.LIKENESS, likeness.confidence(near[sha256]))


def _standings(clips: Iterable[Clip]) -> dict:
    told = {}
    publications = Publication.objects.filter(approval__submission__clip__in=list(clips))
    for clip, taken_down in publications.values_list("approval__submission__clip", "takedown"):
        if told.get(clip) != "released":
            told[clip] = "withdrawn" if taken_down else "released"
    return told


# --- What both look at ------------------------------------------------------------------------------


def _near(bits: bytes, fingerprints: QuerySet) -> dict[str, float]:
    """Which of the fingerprints look alike, and how far away they are."""
    kept = [(sha256, other) for sha256, other in fingerprints.values_list("sha256", "bits") if other]
    if not bits or not kept:
        return {}
    distances = likeness.distances(bits, [other for _sha256, other in kept])
    return {
        sha256: float(distance)
        for (sha256, _bits), distance in zip(kept, distances, strict=True)
        if distance <= likeness.ALIKE
    }


def _nearest(near: dict[str, float]) -> list[str]:
    """Of many takes on one prompt the one that is meant, and whatever is as near as that."""
    least = min(near.values(), default=0.0)
    return [sha256 for sha256, distance in near.items() if distance <= least + likeness.ALIKE / 4]


# --- Later, for every file alike --------------------------------------------------------------------


def note(signs: Signs) -> None:
    """Keeps the signs of a file that somebody asked about, to be held against every clip in a worker."""
    Lookup.objects.create(
        sha256=signs.sha256,
        submission=signs.submission,
        number=signs.number,
        confidence=signs.confidence,
        trace=signs.trace,
        bits=signs.bits,
    )


def follow_up() -> int:
    """Holds what was asked about against every clip, and keeps for the admins what isn't public. Returns how many.

    A round ends when it has taken its time, so that a worker gets to its other work; what is left waits for the next.
    """
    count, ends = 0, monotonic() + ROUND
    for pk in list(Lookup.objects.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        lookup = Lookup.objects.filter(pk=pk).first()
        if lookup is None:
            continue  # another worker was quicker
        leaks = [found for found in everything(_signs(lookup)) if found.is_leak]
        with transaction.atomic():
            if not Lookup.objects.filter(pk=pk).delete()[0]:
                continue
            for found in leaks:
                _see(lookup, found)
        count += 1
        if monotonic() > ends:
            break
    return count


def _signs(lookup: Lookup) -> Signs:
    return Signs(
        lookup.sha256,
        lookup.submission,
        lookup.number,
        lookup.confidence,
        trace=bytes(lookup.trace),
        bits=bytes(lookup.bits),
    )


def _see(lookup: Lookup, found: Found) -> None:
    again = {"times": F("times") + 1, "last_at": lookup.at}
    key = {"sha256": lookup.sha256, "clip": found.clip, "viewer": found.viewer}
    if Sighting.objects.filter(**key).update(**again):
        return
    Sighting.objects.create(
        **key, proof=found.proof, confidence=found.confidence, first_at=lookup.at, last_at=lookup.at
    )
