"""One artist with a clip in each state, everybody who may come to a door, and what each has a right to know."""

import re
import shutil
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from accounts.models import User, exclusion
from accounts.models.invitation import invite
from generation import feedback, storage
from review import appealing, gate, queue, sealing
from review.models import ArtistPage, Claim, Preparation, Submission

from . import factories

SEALED = ("waiting", "claimed", "approved", "refused", "withdrawn", "published", "taken-down")
UNSEALED = ("preparing", "unprepared")
STATES = ("unsubmitted", *UNSEALED, *SEALED)
AT_DESK = ("waiting", "claimed", "approved", "refused", "published", "taken-down")
PUBLIC = ("published", "taken-down")
PUBLIC_BYTES = {"public video", "public poster", "public sprite"}
KEPT_OUT = ("suspended", "ended")  # the owner of it all, after an admin's act
BACKEND = "accounts.backends.MemberBackend"


@pytest.fixture(scope="module")
def world(lasting):
    people = {
        "owner": factories.member(name="Olive Owner"),
        "stranger": factories.member(),
        "reviewer": factories.member("reviewer"),
        "admin": factories.member("admin"),
    }
    # The one that isn't prepared yet comes last: a worker who comes by for the others would prepare it.
    in_turn = sorted(STATES, key=lambda state: state == "preparing")
    clips = {"appealed": _appealed(people)} | {state: _clip(state, people) for state in in_turn}
    factories.clip(people["stranger"], "the stranger's own prompt")
    clients = {"anonymous": Client(raise_request_exception=False)}
    for name, user in people.items():
        clients[name] = Client(raise_request_exception=False)
        clients[name].force_login(user, backend=BACKEND)
    invitation, link = invite("guest@example.com", role="artist", cohort="First", by=None)
    return SimpleNamespace(
        people=people,
        clips=clips,
        clients=clients,
        invitation=invitation,
        page=ArtistPage.objects.get(artist=people["owner"]).slug,
        key=link.rstrip("/").rpartition("/")[2],
    )


@contextmanager
def keeping_out(world, how: str, who: str = "owner"):
    """A session that this person made after they were kept out; undone at the end, for the act is for ever."""
    act = {"suspended": exclusion.suspend, "ended": exclusion.end}[how]
    with transaction.atomic():
        act(world.people[who].membership, by=factories.member("admin"), reason=f"why-{how}")
        client = Client(raise_request_exception=False)
        client.force_login(User.objects.get(pk=world.people[who].pk), backend=BACKEND)
        yield client
        transaction.set_rollback(True)


def _clip(state, people):
    """Its words and bytes occur nowhere else, so that finding them in an answer can mean one thing only."""
    mark = state.replace("-", "")
    owner, reviewer = people["owner"], people["reviewer"]
    picture = factories.picture(owner, content=f"<<picture of {mark}>>".encode())
    made = factories.clip(
        owner,
        f"prompt-of-{mark}",
        picture=picture,
        video=factories.film(f"<<video of {mark}>>".encode() * 50),
        poster=f"<<poster of {mark}>>".encode(),
        sprite=f"<<sprite of {mark}>>".encode(),
    )
    feedback.give(made, rating=2, artifacts=["flicker"], note=f"feedback-on-{mark}")
    frame = factories.picture(owner, of=made, content=f"<<frame of {mark}>>".encode())
    ids = {
        "clip": made.pk,
        "picture": picture.pk,
        "job": made.job_id,
        "submission": made.pk,
        "publication": made.pk,
        "slug": f"{'x' * 12}",
    }
    secrets = {
        "prompt": f"prompt-of-{mark}",
        "video": f"<<video of {mark}>>",
        "poster": f"<<poster of {mark}>>",
        "sprite": f"<<sprite of {mark}>>",
        "feedback": f"feedback-on-{mark}",
        "clip": str(made.pk),
        "job": str(made.job_id),
        "picture": f"<<picture of {mark}>>",
        "picture's id": str(picture.pk),
        "sha256 of picture": picture.sha256,
        "sha256 of frame": frame.sha256,
        **{f"sha256 of {file.kind}": file.sha256 for file in made.renditions.all()},
    }
    if state == "unsubmitted":
        return SimpleNamespace(ids=ids, secrets=secrets, hash="0" * 64)
    words = {"title": f"title-of-{mark}", "statement": f"statement-of-{mark}"}
    allowed = {"consents": ["press"]}  # so that there is something to be listed for those who would use it
    if state in UNSEALED:
        sent = sealing.submit(made, by=owner, **words, **allowed)
        if state == "unprepared":
            Preparation.objects.filter(submission=sent).update(ended_at=Now(), error="Why it failed.")
        ids["submission"] = sent.pk
        return SimpleNamespace(ids=ids, secrets=secrets | words | {"submission": str(sent.pk)}, hash="0" * 64)
    sent = factories.submission(made, **words, **allowed)
    copy = factories.viewed(sent, by=reviewer)
    secrets |= {
        "public video": _own_words(sent, "video"),
        "public poster": _own_words(sent, "poster"),
        "public sprite": _own_words(sent, "sprite"),
        "copy": _middle(copy.sha256),
        "sha256 of the copy": copy.sha256,
        **{f"sha256 of the public {file.kind}": file.sha256 for file in sent.files.all()},
    }
    if state == "withdrawn":
        sealing.withdraw(sent, by=owner)
    if state == "claimed":
        assert queue.claim(sent, by=reviewer)
        Claim.objects.update(expires_at=timezone.now() + timedelta(days=1))  # trying all doors takes a while
    if state in ("waiting", "refused"):  # what one of two has said, of which one is decided
        factories.marked(sent, why=f"why-of-{mark}")
        factories.decision(sent, "refuse", note=f"assessment-of-{mark}")
        secrets |= {"mark": f"why-of-{mark}", "assessment": f"assessment-of-{mark}"}
    if state in ("approved", "published", "taken-down", "refused", "appealed"):
        asker = factories.member("reviewer") if state == "appealed" else reviewer
        factories.asked(sent, by=asker, text=f"question-on-{mark}", answer=f"answer-on-{mark}")
        secrets |= {"question": f"question-on-{mark}", "answer": f"answer-on-{mark}"}
        factories.decision(
            sent, "refuse" if state in ("refused", "appealed") else "approve", note=f"note-of-{mark}"
        )
    secrets |= {
        **words,
        "hash": sent.content_hash,
        "submission": str(sent.pk),
    }
    ids["submission"] = sent.pk
    if state in PUBLIC:
        public = gate.publish(sent, by=owner)
        ids |= {"publication": public.pk, "slug": public.slug}
        secrets["publication"] = str(public.pk)
        if state == "published":
            said = {"text": f"report-on-{mark}", "email": "reporter@example.net"}
            factories.inquiry(public, by=reviewer, **said)
            secrets |= {"report": said["text"], "reporter": said["email"]}
        if state == "taken-down":
            gate.take_down(public, by=owner, reason="reason-of-takendown")
            secrets["reason"] = "reason-of-takendown"
    if state in ("approved", "published", "taken-down", "refused", "appealed"):
        secrets["note"] = f"note-of-{mark}"
    return SimpleNamespace(ids=ids, secrets=secrets, hash=sent.content_hash)


def _appealed(people):
    """Beside the clips that have a state of their own: refused, and its appeal is heard by the reviewer."""
    made = _clip("appealed", people)
    sent = Submission.objects.get(pk=made.ids["submission"])
    hearer = people["reviewer"]
    appeal = factories.appeal(sent, hearer=hearer, text="appeal-of-appealed")
    appealing.write(appeal, by=hearer, text="message-in-appealed")
    made.ids["appeal"] = appeal.pk
    made.secrets |= {
        "appeal": "appeal-of-appealed",
        "message": "message-in-appealed",
        "appeal's id": str(appeal.pk),
    }
    return made


def _own_words(sent, kind: str) -> str:
    """What tests.factories wrote behind the bytes of a public file."""
    return re.search(rb"%b bytes that are public \d+ " % kind.encode(), factories.bytes_of(sent, kind))[
        0
    ].decode()


def _middle(sha256: str) -> str:
    """Some of a file's bytes, as `answered` spells them."""
    content = b"".join(storage.private().blocks(storage.private_name(sha256)))
    return content[len(content) // 2 :][:64].decode("latin-1")


def may_know(person: str, state: str) -> set[str]:
    """Which of a clip's secrets somebody has a right to; who is kept out, what the public has."""
    known = set()
    if person == "owner":
        return {
            "prompt",
            "video",
            "poster",
            "sprite",
            "feedback",
            "clip",
            "job",
            "picture",
            "picture's id",
            "title",
            "statement",
            "submission",
            "publication",
            "note",
            "reason",
            "hash",
            "question",
            "answer",
            "appeal",
            "message",
        } | (PUBLIC_BYTES if state == "published" else set())
    if (
        person == "admin"
    ):  # feedback without names; a member's page and the audit log tell ids, and why something was taken down or marked
        known |= {"job", "submission", "publication", "reason", "feedback", "mark"}
    if state == "published":
        known |= {"title", "statement"} | PUBLIC_BYTES
        known |= {"publication"} if person in ("reviewer", "admin") else set()
    if person == "reviewer" and state in (*AT_DESK, "appealed"):
        known |= {
            "title",
            "statement",
            "public poster",
            "public sprite",
            "copy",
            "prompt",
            "hash",
            "submission",
            "publication",
            "note",
            "question",
            "answer",
        }
        known |= {"reason", "mark", "report", "appeal", "message", "appeal's id"}
        known |= {"assessment"} if state != "waiting" else set()
    return known


def answered(response) -> str:
    """Everything that an answer tells: status line, headers, cookies and body."""
    body = b"".join(response) if response.streaming else response.content
    head = "\n".join(f"{name}: {value}" for name, value in response.items())
    is_text = response.headers.get("Content-Type", "").startswith("text/")
    told = body.decode("utf-8", "replace") if is_text else body.decode("latin-1")  # each byte, as itself
    return f"{head}\n{response.cookies.output()}\n{told}"


def leaks(world, person: str, told: str) -> list[tuple[str, str]]:
    found = []
    for state, clip in world.clips.items():
        for name, secret in clip.secrets.items():
            spelled = {secret, secret.replace("<", "&lt;").replace(">", "&gt;"), secret.replace("-", "")}
            if name not in may_know(person, state) and any(one in told for one in spelled):
                found.append((state, name))
    return found


@contextmanager
def nothing_stays(settings):
    """Undoes what a request did, rows and files, so that the next one meets the same world."""
    stores = (settings.PUBLIC_STORE, settings.PRIVATE_STORE)
    for store in stores:
        shutil.copytree(store, store.with_suffix(".kept"))
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        for store in stores:
            shutil.rmtree(store)
            store.with_suffix(".kept").rename(store)
