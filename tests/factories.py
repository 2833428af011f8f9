"""Real objects, made on the product's own way: members by invitation, clips by claim and finish, decisions by claim."""

import functools
import itertools
import struct
import tempfile
import uuid
from pathlib import Path

import numpy as np
from PIL import Image

from accounts.models.invitation import accept, invite
from generation import copies, encoding, pictures, queue, rules, storage
from generation.engine import catalog
from generation.models import Clip, Job, Picture
from generation.provenance import Origin
from review import (
    appealing,
    asking,
    copying,
    gate,
    leases,
    making,
    policy,
    preparing,
    reporting,
    screening,
    sealing,
    sensitivity,
)
from review import queue as desk
from review.clauses import Clause
from review.models import (
    Appeal,
    Inquiry,
    Preparation,
    Publication,
    Question,
    Report,
    Sensitivity,
    StaffCopy,
    Submission,
    Takedown,
)

_numbers = itertools.count(1)
PASSWORD = "a-long-enough-password"
SIDE, FRAMES, FPS = 128, 12, 12.0  # of the clips here


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
    """A finished clip whose bytes are unique, so that a test can tell whose bytes it was given. Without a
    `video`, it can be played, and says something of its own in a box that no player reads.

    Without a sprite unless one is given, like clips of earlier versions, and without AV1, like most.
    """
    waiting = job(owner, prompt, picture=picture, parent=parent, **changes)
    attempt = claim_of(waiting)
    number = next(_numbers)
    files = [
        stored("video", video or film(f"video bytes {number} ".encode() * 64)),
        stored("poster", poster or f"poster bytes {number} ".encode() * 16),
    ]
    more = {"sprite": sprite, "av1": av1}
    files += [stored(kind, content) for kind, content in more.items() if content]
    made = {"width": SIDE, "height": SIDE, "frames": FRAMES, "fps": FPS}
    told = {**waiting.recipe.to_json(), "revision": "1", "versions": {}}
    assert queue.finish(attempt, recipe=told, files=files, **made)
    return Clip.objects.get(job=waiting)


def film(said: bytes) -> bytes:
    """A small video that can be played, with words of its own behind what is played."""
    return _film() + box(said)


def box(said: bytes) -> bytes:
    """A part of an MP4 that players skip."""
    return struct.pack(">I4s", 8 + len(said), b"free") + said


@functools.cache
def _film() -> bytes:
    ramp = np.linspace(40, 200, SIDE).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "film.mp4")
        frames = (
            np.repeat(np.roll(np.add.outer(ramp, ramp) // 2, step, 1)[..., None], 3, 2)
            for step in range(FRAMES)
        )
        encoding.encode(frames, out, FPS)
        return out.read_bytes()


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


def submission(of=None, *, artist=None, title=None, seen=None, **words) -> Submission:
    """`seen`: what machines noticed of it; None: none has looked."""
    artist = artist or (of.owner if of else member())
    of = of or clip(artist)
    title = title or f"Title {next(_numbers)}"
    made = sealing.submit(of, by=artist, title=title, statement=words.pop("statement", ""), **words)
    return prepared(made, seen=seen)


def prepared(submission: Submission, *, seen=None) -> Submission:
    """Sealed as the desk's worker seals it, but of a `film` over files that were made once: tests need hundreds.

    Each gets bytes of its own, in the way of `film`. Who asks about marks and signatures lets the worker make them.
    """
    while (work := leases.claim_next()) is not None:
        if isinstance(work, Preparation) and not _is_other_film(work.submission.clip):
            preparing.finish(work, _public_files(), seen)
        else:
            making.carry_out(work)
    return Submission.objects.get(pk=submission.pk)


def _is_other_film(clip: Clip) -> bool:
    content = bytes_of(clip)
    return content[4:8] == b"ftyp" and not content.startswith(_film())


def _public_files() -> list[preparing.Made]:
    number = next(_numbers)
    made = []
    for kind, content in _made().items():
        said = f"{kind} bytes that are public {number} ".encode() * 16
        file = stored(kind, content + (box(said) if kind == "video" else said))
        made.append(preparing.Made(kind, file.sha256, file.size))
    return made


@functools.cache
def _made() -> dict[str, bytes]:
    """What a worker makes of a film."""
    origin = Origin(model="testcard", revision="1", submission=str(uuid.uuid4()))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "clip.mp4")
        out.write_bytes(_film())
        paths = copies.public(out, Path(folder), number=1, origin=origin, beat=lambda: None)
        return {kind: path.read_bytes() for kind, path in paths.items()}


def seen(*kinds: str, score=0.87) -> screening.Seen:
    """What machines noticed: a flag of each kind; of none, that they looked."""
    evidence = {
        "picture": {"frames": [[1, 0.01], [4, score], [9, 0.3]], "from": 0.6},
        "words": {
            **{"rule": str(uuid.uuid4()), "name": "A rule", "version": 1, "blocks": False},
            **{"place": "prompt", "phrase": "card", "words": "card"},
        },
        "duplicate": {"submission": str(uuid.uuid4()), "distance": 0.05, "why": "refused"},
    }
    flags = [screening._flag(kind, score, evidence[kind], "a model", "1") for kind in kinds]
    return screening.Seen(["picture", "words", "duplicate"], [], flags)


def flagged(*kinds: str, **kwargs) -> Submission:
    return submission(seen=seen(*(kinds or ("picture",))), **kwargs)


def word_rule(
    phrases="forbidden", *, by=None, does="block", looks_in=None, name=None, sentence="Not here.", **more
):
    number = next(_numbers)
    looks_in = looks_in or ["prompt", "negative_prompt", "title", "statement"]
    told = {"name": name or f"Rule {number}", "phrases": phrases, "looks_in": looks_in, "does": does}
    return rules.save(by=by or member("admin"), sentence=sentence, **told, **more)


def objection(prompt="a forbidden word", *, owner=None, text="It is a title."):
    return rules.object_to(owner or member(), {"prompt": prompt}, text=text)[0]


def viewed(of: Submission, *, by) -> StaffCopy:
    """The copy of a reviewer who has opened its room."""
    copying.ask(of, viewer=by)
    making.work()
    return StaffCopy.objects.get(submission=of, viewer=by)


def decision(
    on: Submission, outcome="approve", *, by=None, reasons=("rights",), note="Because of this.", **more
):
    """What a reviewer says who has claimed it: an assessment, where it takes two and they are the first."""
    by = by or member("reviewer")
    assert desk.claim(on, by=by)
    reasons = list(reasons) if outcome == "refuse" else []
    given = {"outcome": outcome, "content_hash": on.content_hash, "reasons": reasons, "note": note}
    return gate.decide(on, by=by, **given, **more)


def marked(
    on: Submission | None = None, kind="sensitive", *, by=None, why="Somebody real, perhaps.", **words
):
    """A submission that takes two people, by a reviewer's word."""
    on = on or submission(**words)
    sensitivity.mark(on, kind=kind, why=why, source=Sensitivity.Source.REVIEWER, by=by or member("reviewer"))
    return Submission.objects.get(pk=on.pk)


def publication(of: Submission | None = None, **kwargs) -> Publication:
    of = of or submission(**kwargs)
    if getattr(of, "decision", None) is None:
        decision(of)
    return gate.publish(of, by=of.artist)


def asked(on: Submission, *, by=None, text="Whose song is it?", answer: str | None = None) -> Question:
    """A question of a reviewer who claimed it, with its artist's answer if there is one."""
    by = by or member("reviewer")
    assert desk.claim(on, by=by)
    made = asking.ask(on, by=by, text=text)
    if answer is not None:
        asking.reply(on, by=on.artist, number=made.number, text=answer)
    return made


def takedown(of: Publication | None = None, *, by=None, reason="It shows a real person.") -> Takedown:
    of = of or publication()
    return gate.take_down(of, by=by or member("reviewer"), reason=reason)


def appeal(of: Submission | None = None, *, hearer=None, text="The song is my own.") -> Appeal:
    """Against a refusal, unless what it is about says otherwise; `hearer` has claimed it."""
    of = of or decision(submission(), "refuse").submission
    made = appealing.appeal(of, by=of.artist, text=text)
    if hearer:
        appealing.claim(made, by=hearer)
    return made


def upheld(of: Submission | None = None, *, by=None) -> Submission:
    """What an upheld appeal has opened: its hearer's to decide."""
    by = by or member("reviewer")
    return appealing.uphold(appeal(of, hearer=by), by=by)


def report(on: Publication | None = None, *, reason="hate", text="At its end.", email="") -> Report:
    return reporting.report(on or publication(), reason=reason, text=text, email=email)


def inquiry(on: Publication | None = None, *, by=None, **said) -> Inquiry:
    """Into a reported publication; `by` has claimed it."""
    made = Inquiry.objects.get(pk=report(on, **said).publication_id)
    if by:
        reporting.claim(made, by=by)
    return made


def policy_version(*, by=None, without=(), clauses=(), words=None) -> policy.Policy:
    """A new version: the present one without some codes, with further clauses, and with other `words` by code."""
    held = policy.current()
    kept = [
        Clause(each.code, each.saved_title, (words or {}).get(each.code, each.saved_text))
        for each in held.clauses
        if each.code not in without
    ]
    number = next(_numbers)
    added = clauses or (
        [] if without or words else [Clause(f"rule-{number}", f"Rule {number}", "A new rule.")]
    )
    by = by or member("admin")
    return policy.save([*kept, *added], shown=held.name, summary=f"Because of {number}.", by=by)


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
