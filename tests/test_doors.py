"""Every door of the house, tried by everybody at every state of a clip: who gets in, and what leaks to those who don't.

A new URL pattern without a row here fails the first test: say who may open it.
"""

import re
import shutil
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.test import Client
from django.urls import get_resolver

from accounts.models.invitation import invite
from generation import storage
from review import gate, queue, sealing
from review.models import Publication

from . import factories

PEOPLE = ("anonymous", "owner", "stranger", "reviewer", "admin")
STATES = ("unsubmitted", "waiting", "claimed", "approved", "refused", "withdrawn", "published", "taken-down")
AT_DESK = ("waiting", "claimed", "approved", "refused", "published", "taken-down")
PUBLIC = ("published", "taken-down")
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
LOGIN = "/accounts/login/?next="


class Door:
    """Statuses by person, in PEOPLE's order; `in_state` says where a clip's state decides otherwise."""

    def __init__(
        self, get, post, *, arg="", data=None, only=STATES, closed="302 404 404 404 404", in_state=()
    ):
        self.get, self.post, self.arg, self.data = get, post, arg, data or {}
        self.only, self.closed, self.in_state = only, closed, dict(in_state)

    def status(self, method: str, person: str, state: str) -> int:
        told = getattr(self, method) if state in self.only else self.closed_to(method)
        told = self.in_state.get((method, state), told)
        return int(told.split()[PEOPLE.index(person)])

    def closed_to(self, method):
        """What isn't there: 404, unless the method or the role was wrong before anything was looked up."""
        told, closed = getattr(self, method).split(), self.closed.split()
        return " ".join(a if a in ("405", "403") else b for a, b in zip(told, closed, strict=True))


NEVER = "405 405 405 405 405"
NO_POST, NO_GET = "302 405 405 405 405", "302 405 405 405 405"
OWN = "302 200 404 404 404"  # the owner's page
OWN_ACT = "302 302 404 404 404"
DESK = "302 403 403 200 403"
DESK_ACT = "302 403 403 302 403"
STAFF_ACT = "302 403 403 302 302"
DESK_CLOSED = "302 403 403 404 403"
ALL = "200 200 200 200 200"
GONE = "410 410 410 410 410"
ABSENT = "404 404 404 404 404"
MEMBERS = "302 200 200 200 200"
MOVED = "302 302 302 302 302"
LATE = "302 409 404 404 404"
LATE_DESK = "302 403 403 409 403"

public = {"only": PUBLIC, "closed": ABSENT, "arg": "slug"}
desk = {"only": AT_DESK, "closed": "302 404 404 404 404", "arg": "submission"}
submitted = {"only": STATES[1:], "arg": "submission"}
works = {"prompt": "a test card", "model": "testcard", "aspect": "1:1", "duration": "1"}

DOORS = {
    "": Door(ALL, NEVER),
    "watch/<work:slug>/": Door(ALL, NEVER, **public, in_state={("get", "taken-down"): GONE}),
    "watch/<work:slug>/video.mp4": Door(ALL, NEVER, **public, in_state={("get", "taken-down"): GONE}),
    "watch/<work:slug>/poster.jpg": Door(ALL, NEVER, **public, in_state={("get", "taken-down"): GONE}),
    "policy/": Door(ALL, NEVER),
    "studio/clips/<uuid:pk>/submissions/": Door(
        NO_GET,
        OWN_ACT,
        arg="clip",
        data={"title": "Another title"},
        in_state={("post", state): LATE for state in ("waiting", "claimed", "approved", "published")},
    ),
    "studio/submissions/<uuid:pk>/": Door(OWN, NO_POST, **submitted),
    "studio/submissions/<uuid:pk>/withdrawal/": Door(
        NO_GET,
        OWN_ACT,
        **submitted,
        in_state={("post", s): LATE for s in STATES[3:]},
    ),
    "studio/submissions/<uuid:pk>/publication/": Door(
        NO_GET,
        OWN_ACT,
        **submitted,
        in_state={("post", s): LATE for s in ("waiting", "claimed", "refused", "withdrawn", "taken-down")},
    ),
    "studio/publications/<uuid:pk>/takedown/": Door(NO_GET, OWN_ACT, only=PUBLIC, arg="publication"),
    "desk/": Door(DESK, NO_POST),
    "desk/next/": Door(NO_GET, DESK_ACT),
    "desk/submissions/<uuid:pk>/": Door(DESK, NO_POST, **desk),
    "desk/submissions/<uuid:pk>/claim/": Door(
        NO_GET,
        DESK_ACT,
        **desk,
        in_state={("post", s): LATE_DESK for s in ("approved", "refused", "published", "taken-down")},
    ),
    "desk/submissions/<uuid:pk>/release/": Door(NO_GET, DESK_ACT, **desk),
    "desk/submissions/<uuid:pk>/decision/": Door(
        NO_GET,
        LATE_DESK,
        **desk | {"only": STATES[1:]},
        data={"outcome": "approve", "content_hash": "{hash}"},
        in_state={("post", "claimed"): DESK_ACT},
    ),
    "desk/submissions/<uuid:pk>/video.mp4": Door(DESK, NO_POST, **desk),
    "desk/submissions/<uuid:pk>/poster.jpg": Door(DESK, NO_POST, **desk),
    "desk/publications/<uuid:pk>/takedown/": Door(
        NO_GET, STAFF_ACT, only=PUBLIC, arg="publication", data={"reason": "A reason."}
    ),
    "studio/": Door(MEMBERS, NO_POST),
    "studio/jobs/": Door(NO_GET, MOVED, data=works),
    "studio/jobs/<uuid:pk>/": Door(OWN, NO_POST, arg="job"),
    "studio/jobs/<uuid:pk>/status.json": Door(OWN, NO_POST, arg="job"),
    "studio/jobs/<uuid:pk>/cancellation/": Door(NO_GET, OWN_ACT, arg="job"),
    "studio/clips/<uuid:pk>/": Door(OWN, NO_POST, arg="clip"),
    "studio/clips/<uuid:pk>/video.mp4": Door(OWN, NO_POST, arg="clip"),
    "studio/clips/<uuid:pk>/poster.jpg": Door(OWN, NO_POST, arg="clip"),
    "home/": Door(MOVED, MOVED),
    "invitations/<str:key>/": Door(ALL, "422 422 422 422 422", arg="invitation", data={"name": "A"}),
    "accounts/login/": Door("200 302 302 302 302", "200 302 302 302 302"),
    "accounts/logout/": Door("302 200 200 200 200", MOVED),
    "accounts/inactive/": Door(ALL, NEVER),
    "accounts/signup/": Door(ALL, ALL),
    "accounts/reauthenticate/": Door(MOVED, MOVED),
    "accounts/email/": Door(MOVED, MOVED),
    "accounts/confirm-email/": Door(ALL, NEVER),
    "accounts/^confirm-email/(?P<key>[-:\\w]+)/$": Door(ALL, ABSENT, arg="mailed"),
    "accounts/password/change/": Door(MOVED, MOVED),
    "accounts/password/set/": Door(MOVED, MOVED),
    "accounts/password/reset/": Door(ALL, ALL),
    "accounts/password/reset/done/": Door(ALL, NEVER),
    "accounts/password/reset/key/done/": Door(ALL, NEVER),
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": Door(ALL, ALL, arg="reset"),
    "accounts/login/code/confirm/": Door("302 302 302 302 302", "302 302 302 302 302"),
    "healthz": Door(ALL, NEVER),
    "readyz": Door(ALL, NEVER),
}
# The whole list of what anonymous visitors can see; everything else sends them to the login or doesn't exist.
OPEN = {
    "",
    "policy/",
    "watch/<work:slug>/",
    "watch/<work:slug>/video.mp4",
    "watch/<work:slug>/poster.jpg",
    "invitations/<str:key>/",
    "healthz",
    "readyz",
    "accounts/login/",
    "accounts/signup/",
    "accounts/inactive/",
    "accounts/confirm-email/",
    "accounts/^confirm-email/(?P<key>[-:\\w]+)/$",
    "accounts/password/reset/",
    "accounts/password/reset/done/",
    "accounts/password/reset/key/done/",
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
}
each_door = pytest.mark.parametrize("pattern", DOORS)


def patterns(entries=None, prefix="") -> set[str]:
    found = set()
    for entry in get_resolver().url_patterns if entries is None else entries:
        path = prefix + str(entry.pattern)
        found |= patterns(entry.url_patterns, path) if hasattr(entry, "url_patterns") else {path}
    return found


# --- The world: one artist, one clip for each state, each with secrets of its own ---------------------


@pytest.fixture(scope="module")
def world(lasting):
    people = {
        "owner": factories.member(name="Olive Owner"),
        "stranger": factories.member(),
        "reviewer": factories.member("reviewer"),
        "admin": factories.member("admin"),
    }
    clips = {state: _clip(state, people) for state in STATES}
    factories.clip(people["stranger"], "the stranger's own prompt")
    clients = {"anonymous": Client(raise_request_exception=False)}
    for name, user in people.items():
        clients[name] = Client(raise_request_exception=False)
        clients[name].force_login(user, backend=BACKEND)
    _invitation, link = invite("guest@example.com", role="artist", cohort="First", by=None)
    return SimpleNamespace(
        people=people, clips=clips, clients=clients, key=link.rstrip("/").rpartition("/")[2]
    )


def _clip(state, people):
    """Its words and bytes occur nowhere else, so that finding them in an answer can mean one thing only."""
    mark = state.replace("-", "")
    owner, reviewer = people["owner"], people["reviewer"]
    made = factories.clip(
        owner,
        f"prompt-of-{mark}",
        video=f"<<video of {mark}>>".encode() * 50,
        poster=f"<<poster of {mark}>>".encode(),
    )
    ids = {
        "clip": made.pk,
        "job": made.job_id,
        "submission": made.pk,
        "publication": made.pk,
        "slug": f"{'x' * 12}",
    }
    secrets = {
        "prompt": f"prompt-of-{mark}",
        "video": f"<<video of {mark}>>",
        "poster": f"<<poster of {mark}>>",
        "clip": str(made.pk),
        "job": str(made.job_id),
        **{f"sha256 of {file.kind}": file.sha256 for file in made.renditions.all()},
    }
    if state == "unsubmitted":
        return SimpleNamespace(ids=ids, secrets=secrets, hash="0" * 64)
    sent = sealing.submit(made, by=owner, title=f"title-of-{mark}", statement=f"statement-of-{mark}")
    if state == "withdrawn":
        sealing.withdraw(sent, by=owner)
    if state == "claimed":
        assert queue.claim(sent, by=reviewer)
    if state in ("approved", "published", "taken-down", "refused"):
        factories.decision(sent, "refuse" if state == "refused" else "approve", note=f"note-of-{mark}")
    secrets |= {
        "title": f"title-of-{mark}",
        "statement": f"statement-of-{mark}",
        "hash": sent.content_hash,
        "submission": str(sent.pk),
    }
    ids["submission"] = sent.pk
    if state in PUBLIC:
        public = gate.publish(sent, by=owner)
        ids |= {"publication": public.pk, "slug": public.slug}
        secrets["publication"] = str(public.pk)
        if state == "taken-down":
            gate.take_down(public, by=owner, reason="reason-of-takendown")
            secrets["reason"] = "reason-of-takendown"
    if state in ("approved", "published", "taken-down", "refused"):
        secrets["note"] = f"note-of-{mark}"
    return SimpleNamespace(ids=ids, secrets=secrets, hash=sent.content_hash)


def may_know(person: str, state: str) -> set[str]:
    """Which of a clip's secrets somebody has a right to."""
    known = set()
    if person == "owner":
        return {
            "prompt",
            "video",
            "poster",
            "clip",
            "job",
            "title",
            "statement",
            "submission",
            "publication",
            "note",
            "reason",
        }
    if state == "published":
        known |= {"title", "statement", "video", "poster"}
        known |= {"publication"} if person in ("reviewer", "admin") else set()
    if person == "reviewer" and state in AT_DESK:
        known |= {
            "title",
            "statement",
            "video",
            "poster",
            "prompt",
            "hash",
            "submission",
            "publication",
            "note",
        }
        known |= {"reason"}
    return known


def answered(response) -> str:
    """Everything that an answer tells: status line, headers, cookies and body."""
    body = b"".join(response) if response.streaming else response.content
    head = "\n".join(f"{name}: {value}" for name, value in response.items())
    return f"{head}\n{response.cookies.output()}\n{body.decode('utf-8', 'replace')}"


def leaks(world, person: str, told: str) -> list[tuple[str, str]]:
    found = []
    for state, clip in world.clips.items():
        for name, secret in clip.secrets.items():
            spelled = {secret, secret.replace("<", "&lt;").replace(">", "&gt;"), secret.replace("-", "")}
            if name not in may_know(person, state) and any(one in told for one in spelled):
                found.append((state, name))
    return found


def path_of(pattern: str, world, state: str) -> str:
    ids, door = world.clips[state].ids, DOORS[pattern]
    values = {"invitation": world.key, "mailed": "MQ:1abc:signature", "reset": ""}
    if door.arg == "reset":
        return "/accounts/password/reset/key/1-set-password/"
    if pattern.startswith("accounts/^confirm"):
        return f"/accounts/confirm-email/{values['mailed']}/"
    value = str(ids.get(door.arg) or values.get(door.arg, ""))
    return "/" + re.sub(r"<[a-z]+:[a-z]+>", value, pattern)


@contextmanager
def nothing_stays(settings):
    """Undoes what a request did, rows and public files, so that the next one meets the same world."""
    kept = settings.PUBLIC_STORE.with_name("kept")
    shutil.copytree(settings.PUBLIC_STORE, kept)
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        shutil.rmtree(settings.PUBLIC_STORE)
        kept.rename(settings.PUBLIC_STORE)


# --- First that there is something to leak ----------------------------------------------------------


def test_every_door_has_a_row_here():
    assert patterns() == set(DOORS)


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("state", STATES)
def test_the_owner_gets_all_of_it(world, state):
    """What no answer ever holds could not leak either, and the other tests would prove nothing."""
    mine = [
        path_of(pattern, world, state)
        for pattern, door in DOORS.items()
        if door.arg in world.clips[state].ids
    ]
    answers = [world.clients["owner"].get(path) for path in mine]
    told = "\n".join(answered(response) for response in answers if response.status_code == 200)
    expected = {name for name in world.clips[state].secrets if name in may_know("owner", state)}
    expected -= {"publication"} if state == "taken-down" else set()  # there is nothing left to do with it
    assert {name for name in expected if world.clips[state].secrets[name] in told} == expected


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("state", AT_DESK)
def test_the_reviewer_gets_what_there_is_to_decide_on(world, state):
    told = "".join(
        answered(world.clients["reviewer"].get(path_of(f"desk/submissions/<uuid:pk>/{part}", world, state)))
        for part in ("", "video.mp4", "poster.jpg")
    )
    expected = {"title", "statement", "prompt", "hash", "submission", "video", "poster"}
    assert {name for name in expected if world.clips[state].secrets[name] in told} == expected


def test_the_search_for_leaks_finds_them(world):
    secrets = world.clips["waiting"].secrets
    assert leaks(world, "stranger", f"… {secrets['title']} …") == [("waiting", "title")]
    assert {name for _state, name in leaks(world, "anonymous", " ".join(secrets.values()))} == set(secrets)
    assert leaks(world, "owner", secrets["title"]) == []


# --- Then that each door opens to the right people, and tells the others nothing ------------------------


@pytest.mark.usefixtures("undone")
@each_door
def test_doors_open_to_the_right_people_and_tell_the_others_nothing(world, settings, pattern):
    door, seen, expected = DOORS[pattern], {}, {}
    for state in STATES if door.arg in ("clip", "job", "submission", "publication", "slug") else STATES[:1]:
        path = path_of(pattern, world, state)
        data = {name: value.replace("{hash}", world.clips[state].hash) for name, value in door.data.items()}
        for person, client in world.clients.items():
            for method in ("get", "post"):
                with nothing_stays(settings) if method == "post" else transaction.atomic():
                    response = getattr(client, method)(path, data if method == "post" else None)
                    told = answered(response)
                    if response.headers.get("Location") == LOGIN + path:
                        told = told.replace(path, "")  # the visitor's own words, given back by the login
                    assert leaks(world, person, told) == [], (method, person, state)
                    if person == "anonymous" and response.status_code == 302 and pattern not in OPEN:
                        assert response["Location"] in (LOGIN + path, "/", "/accounts/login/")
                seen[method, person, state] = response.status_code
                expected[method, person, state] = door.status(method, person, state)
        _log_in_again(world, pattern)
    assert {key: status for key, status in seen.items() if status != expected[key]} == {}


def _log_in_again(world, pattern):
    if (
        pattern == "accounts/logout/"
    ):  # the rolled back database still knows the sessions; the cookies are gone
        for name, user in world.people.items():
            world.clients[name].force_login(user, backend=BACKEND)


def test_the_doors_open_to_all_are_exactly_these():
    opened = {
        pattern
        for pattern, door in DOORS.items()
        if any(
            door.status(method, "anonymous", state) == 200 for method in ("get", "post") for state in STATES
        )
    }
    assert opened == OPEN


# --- And that public means the approved bytes, and no more ------------------------------------------------


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("kind", ["video.mp4", "poster.jpg"])
def test_what_is_public_is_byte_for_byte_what_was_approved(world, kind):
    publication = Publication.objects.get(slug=world.clips["published"].ids["slug"])
    approved = factories.bytes_of(publication.submission, kind.partition(".")[0])
    response = world.clients["anonymous"].get(f"/watch/{publication.slug}/{kind}")
    assert response.getvalue() == approved
    digest = publication.submission.files.get(kind=kind.partition(".")[0]).sha256
    assert digest not in response["ETag"]
    cached = {"If-None-Match": response["ETag"]}
    again = world.clients["anonymous"].get(f"/watch/{publication.slug}/{kind}", headers=cached)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.usefixtures("undone")
def test_a_visitor_who_has_the_bytes_cached_learns_of_a_takedown(world):
    slug = world.clips["taken-down"].ids["slug"]
    for kind in ("video", "poster"):
        for asked in ({"If-None-Match": f'"{slug}-{kind}"'}, {"Range": "bytes=0-9"}):
            name = {"video": "video.mp4", "poster": "poster.jpg"}[kind]
            assert world.clients["anonymous"].get(f"/watch/{slug}/{name}", headers=asked).status_code == 410
    assert not storage.public().path(slug).exists()


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("asked", [{"Range": "bytes=0-"}, {"Range": "bytes=5-2"}, {"If-None-Match": "*"}])
def test_no_header_opens_a_private_file(world, state, asked):
    for person in ("anonymous", "stranger", "admin"):
        for pattern in ("studio/clips/<uuid:pk>/video.mp4", "desk/submissions/<uuid:pk>/video.mp4"):
            for method in ("get", "head"):
                response = getattr(world.clients[person], method)(
                    path_of(pattern, world, state), headers=asked
                )
                assert response.status_code in (302, 403, 404)


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
def test_no_other_method_opens_a_door(world, method):
    for pattern in DOORS:
        if not pattern.startswith("accounts/"):
            for person in ("anonymous", "stranger"):
                response = getattr(world.clients[person], method)(path_of(pattern, world, "waiting"))
                assert response.status_code in (302, 403, 404, 405), (pattern, person)
                assert (
                    leaks(world, person, answered(response).replace(path_of(pattern, world, "waiting"), ""))
                    == []
                )


@pytest.mark.usefixtures("undone")
def test_private_answers_are_kept_by_no_cache(world):
    for pattern in DOORS:
        if pattern.startswith(("studio/clips", "studio/submissions", "studio/jobs/<", "desk/sub")):
            person = "reviewer" if pattern.startswith("desk") else "owner"
            response = world.clients[person].get(path_of(pattern, world, "waiting"))
            if response.status_code == 200:
                assert {"no-store", "private"} <= set(response["Cache-Control"].split(", ")), pattern


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("words", ["title-of", "statement-of", "prompt-of", "note-of", "Olive"])
def test_a_search_finds_only_what_is_public(world, words):
    for person in ("anonymous", "stranger"):
        response = world.clients[person].get("/", {"q": words})
        assert leaks(world, person, answered(response)) == []
        found = {publication.slug for publication in response.context["publications"]}
        expected = (
            {world.clips["published"].ids["slug"]}
            if words in ("title-of", "statement-of", "Olive")
            else set()
        )
        assert found == expected
