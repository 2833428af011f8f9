"""Real objects, made on the product's own way: members by invitation, clips by claim and finish, decisions by claim."""

import itertools
import tempfile
from pathlib import Path

from PIL import Image

from accounts.models.invitation import accept, invite
from generation import pictures, queue, storage
from generation.engine import catalog
from generation.models import Clip, Job, Picture
from review import gate, sealing
from review import queue as desk
from review.models import Publication, Submission

_numbers = itertools.count(1)
PASSWORD = "a-long-enough-password"


def member(role="artist", email=None, name=None):
    number = next(_numbers)
    email = email or f"{role}{number}@example.com"
    invitation, _link = invite(email, role=role, cohort="First", by=None)
    return accept(invitation, name=name or f"{role.title()} {number}", password=PASSWORD)


def recipe(prompt="a test card", **changes):
    return catalog.get("testcard").recipe(prompt, **{"seed": next(_numbers), **changes})


def job(owner, prompt="a test card", *, picture=None, parent=None, **changes) -> Job:
    if picture:
        changes["image"] = picture.sha256
    return queue.enqueue(owner, recipe(prompt, **changes), picture=picture, parent=parent)


def picture(owner, *, of=None, content: bytes | None = None, color=None, size=(128, 128)) -> Picture:
    """A picture that its owner has vouched for, or the last frame `of` a clip; `content` stands in for real bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path, number = Path(folder, "picture.png"), next(_numbers)
        Image.new("RGB", size, color or (number % 256, number // 256 % 256, 99)).save(path, "PNG")
        if content:
            path.write_bytes(content)
        sha256, length = storage.keep(path)
    kind = Picture.Kind.FRAME if of else Picture.Kind.UPLOAD
    kept = {"owner": owner, "sha256": sha256, "size": length, "width": size[0], "height": size[1]}
    return Picture.objects.create(kind=kind, clip=of, rights="" if of else str(pictures.RIGHTS), **kept)


def clip(
    owner,
    prompt="a test card",
    *,
    video=None,
    poster=None,
    sprite=None,
    av1=None,
    picture=None,
    parent=None,
    **changes,
) -> Clip:
    """A finished clip whose bytes are unique, so that a test can tell whose bytes it was given.

    Without a sprite unless one is given, like clips of earlier versions, and without AV1, like most.
    """
    waiting = job(owner, prompt, picture=picture, parent=parent, **changes)
    attempt = claim_of(waiting)
    number = next(_numbers)
    files = [
        stored("video", video or f"video bytes {number} ".encode() * 64),
        stored("poster", poster or f"poster bytes {number} ".encode() * 16),
    ]
    more = {"sprite": sprite, "av1": av1}
    files += [stored(kind, content) for kind, content in more.items() if content]
    made = {"width": 128, "height": 128, "frames": 12, "fps": 12.0}
    told = {**waiting.recipe.to_json(), "revision": "1", "versions": {}}
    assert queue.finish(attempt, recipe=told, files=files, **made)
    return Clip.objects.get(job=waiting)


def claim_of(waiting: Job):
    """Claims until it is this job's turn; the tests' queues are short."""
    attempt = queue.claim_next("tests")
    assert attempt is not None, "nothing could be claimed"
    assert attempt.job_id == waiting.pk, "another job was waiting before this one"
    return attempt


def stored(kind: str, content: bytes) -> queue.Stored:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, kind)
        path.write_bytes(content)
        return queue.Stored(kind, *storage.keep(path))


def submission(of=None, *, artist=None, title=None, **words) -> Submission:
    artist = artist or (of.owner if of else member())
    of = of or clip(artist)
    title = title or f"Title {next(_numbers)}"
    return sealing.submit(of, by=artist, title=title, statement=words.pop("statement", ""), **words)


def decision(on: Submission, outcome="approve", *, by=None, reasons=("rights",), note="Because of this."):
    by = by or member("reviewer")
    assert desk.claim(on, by=by)
    reasons = list(reasons) if outcome == "refuse" else []
    return gate.decide(on, by=by, outcome=outcome, content_hash=on.content_hash, reasons=reasons, note=note)


def publication(of: Submission | None = None, **kwargs) -> Publication:
    of = of or submission(**kwargs)
    if getattr(of, "decision", None) is None:
        decision(of)
    return gate.publish(of, by=of.artist)


def stepped_aside(on: Submission, *, by=None):
    """Somebody who has passed on it once, and then recused themselves."""
    by = by or member("reviewer")
    assert desk.claim(on, by=by)
    desk.pass_on(on, by=by, reason="Another time.")
    desk.recuse(on, by=by, reason="The artist is a friend.")
    return by


def bytes_of(record, kind="video") -> bytes:
    """The private bytes of a clip, or the frozen ones of a submission."""
    files = record.renditions if isinstance(record, Clip) else record.files
    return b"".join(storage.private().blocks(storage.private_name(files.get(kind=kind).sha256)))
