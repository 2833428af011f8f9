"""Every door of the house, tried by everybody at every state of a clip: who gets in, and what leaks to those who don't.

A new URL pattern without a row here fails the first test: say who may open it.
"""

import re

import pytest
from django.db import transaction
from django.urls import get_resolver

from .world import (
    AT_DESK,
    KEPT_OUT,
    PUBLIC,
    SEALED,
    STATES,
    UNSEALED,
    answered,
    keeping_out,
    leaks,
    may_know,
    nothing_stays,
)

PEOPLE = ("anonymous", "owner", "stranger", "reviewer", "admin")
LOGIN = "/accounts/login/?next="


class Door:
    """Statuses by person, in PEOPLE's order; `in_state` says where a clip's state decides otherwise.

    Who is kept out is sent to /standing/ from each door that sends strangers to the login, and is a stranger at the
    others; `kept_out` says, for GET and POST, where that isn't so.
    """

    def __init__(
        self,
        get,
        post,
        *,
        arg="",
        data=None,
        only=STATES,
        closed="302 404 404 404 404",
        in_state=(),
        kept_out="",
    ):
        self.get, self.post, self.arg, self.data = get, post, arg, data or {}
        self.only, self.closed, self.in_state = only, closed, dict(in_state)
        self.kept_out = kept_out

    @property
    def leads_to_standing(self) -> bool:
        return self.get.startswith("302") and not self.kept_out

    def status(self, method: str, person: str, state: str) -> int:
        if person in KEPT_OUT:
            if self.leads_to_standing:
                return 302
            if self.kept_out:
                return int(self.kept_out.split()[method == "post"])
            person = "stranger"
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
PROGRAM = "302 403 403 403 200"
PROGRAM_ACT = "302 403 403 403 302"
NO_LIMIT = "302 403 403 403 409"  # the cohort has none, so there is nothing to grant
DESK_CLOSED = "302 403 403 404 403"
ALL = "200 200 200 200 200"
GONE = "410 410 410 410 410"
ABSENT = "404 404 404 404 404"
MEMBERS = "302 200 200 200 200"
MOVED = "302 302 302 302 302"
NONE_YET = "302 404 404 404 404"  # theirs alone, and nobody here has set one up
LATE = "302 409 404 404 404"
LATE_DESK = "302 403 403 409 403"

public = {"only": PUBLIC, "closed": ABSENT, "arg": "slug"}
desk = {"only": AT_DESK, "closed": "302 404 404 404 404", "arg": "submission"}
submitted = {"only": STATES[1:], "arg": "submission"}
terms = {"role": "artist", "cohort": "First", "days": "14"}
works = {"prompt": "a test card", "model": "testcard", "aspect": "1:1", "duration": "1"}

DOORS = {
    "": Door(ALL, NEVER),
    "watch/<work:slug>/": Door(ALL, NEVER, **public, in_state={("get", "taken-down"): GONE}),
    "watch/<work:slug>/video.mp4": Door(ALL, NEVER, **public, in_state={("get", "taken-down"): GONE}),
    "watch/<work:slug>/poster.jpg": Door(ALL, NEVER, **public, in_state={("get", "taken-down"): GONE}),
    "watch/<work:slug>/sprite.jpg": Door(ALL, NEVER, **public, in_state={("get", "taken-down"): GONE}),
    "verify/": Door(ALL, "422 422 422 422 422"),  # what a file is told, tests/review/test_verifying.py tries
    "policy/": Door(ALL, NEVER),
    "policy/<version:name>/": Door(ALL, NEVER, arg="version"),
    "transparency/": Door(ALL, NEVER),
    "transparency.csv": Door(ALL, NEVER),
    "verify/anchors.pem": Door(ALL, NEVER),
    "studio/clips/<uuid:pk>/submissions/": Door(
        NO_GET,
        OWN_ACT,
        arg="clip",
        data={"title": "Another title"},
        in_state={
            ("post", state): LATE for state in (*UNSEALED, "waiting", "claimed", "approved", "published")
        },
    ),
    "studio/clips/<uuid:pk>/feedback/": Door(
        NO_GET, OWN_ACT, arg="clip", data={"rating": "3", "note": "Hm."}
    ),
    "studio/clips/<uuid:pk>/feedback/deletion/": Door(NO_GET, OWN_ACT, arg="clip"),
    "studio/submissions/<uuid:pk>/": Door(OWN, NO_POST, **submitted),
    "studio/submissions/<uuid:pk>/withdrawal/": Door(
        NO_GET,
        OWN_ACT,
        **submitted,
        in_state={("post", s): LATE for s in SEALED[2:]},
    ),
    "studio/submissions/<uuid:pk>/publication/": Door(
        NO_GET,
        OWN_ACT,
        **submitted,
        in_state={("post", s): LATE for s in (*UNSEALED, *SEALED) if s not in ("approved", "published")},
    ),
    "studio/submissions/<uuid:pk>/preparation/": Door(
        NO_GET, LATE, **submitted, in_state={("post", s): OWN_ACT for s in UNSEALED}
    ),
    "studio/submissions/<uuid:pk>/reply/": Door(
        NO_GET, LATE, **submitted, data={"number": "1", "text": "Mine."}
    ),  # nobody has asked anything that is open
    "studio/publications/<uuid:pk>/takedown/": Door(NO_GET, OWN_ACT, only=PUBLIC, arg="publication"),
    "desk/": Door(DESK, NO_POST),
    "desk/next/": Door(NO_GET, DESK_ACT),
    "desk/submissions/<uuid:pk>/": Door(DESK, NO_POST, **desk),
    # Nothing here has an earlier work of the same origin; what is laid beside what, tests/review/test_context.py tries.
    "desk/submissions/<uuid:pk>/beside/<uuid:other>/": Door(DESK_CLOSED, NO_POST, **desk),
    "desk/submissions/<uuid:pk>/claim/": Door(
        NO_GET,
        DESK_ACT,
        **desk,
        in_state={
            ("post", s): LATE_DESK for s in ("approved", "refused", "withdrawn", "published", "taken-down")
        },
    ),
    "desk/submissions/<uuid:pk>/renewal/": Door(
        NO_GET,
        LATE_DESK,
        **desk | {"only": SEALED},
        in_state={("post", "claimed"): "302 403 403 200 403"},
    ),
    "desk/submissions/<uuid:pk>/leaving/": Door(
        NO_GET,
        "302 403 403 204 403",
        **desk | {"only": SEALED},
        data={"until": "2026-11-24T12:00:00+00:00"},
    ),
    "desk/submissions/<uuid:pk>/pass/": Door(
        NO_GET,
        LATE_DESK,
        **desk | {"only": SEALED},
        data={"reason": "A reason."},
        in_state={("post", "claimed"): DESK_ACT},
    ),
    "desk/submissions/<uuid:pk>/recusal/": Door(
        NO_GET,
        LATE_DESK,
        **desk | {"only": SEALED},
        data={"reason": "A reason."},
        in_state={("post", s): DESK_ACT for s in ("waiting", "claimed")},
    ),
    "desk/submissions/<uuid:pk>/question/": Door(
        NO_GET,
        LATE_DESK,
        **desk | {"only": SEALED},
        data={"text": "Whose song is it?"},
        in_state={("post", "claimed"): DESK_ACT},
    ),
    "desk/submissions/<uuid:pk>/handover/": Door(
        NO_GET, "302 403 403 403 403", **desk | {"only": SEALED}
    ),  # a lead's: tests/review/test_handing_over.py
    "desk/submissions/<uuid:pk>/release/": Door(
        NO_GET, DESK_ACT, **desk, in_state={("post", "withdrawn"): DESK_ACT}
    ),
    "desk/submissions/<uuid:pk>/decision/": Door(
        NO_GET,
        LATE_DESK,
        **desk | {"only": SEALED},
        data={"outcome": "approve", "content_hash": "{hash}"},
        in_state={("post", "claimed"): DESK_ACT},
    ),
    "desk/submissions/<uuid:pk>/copy/": Door("302 403 403 286 403", NO_POST, **desk),
    "desk/submissions/<uuid:pk>/video.mp4": Door(DESK, NO_POST, **desk),
    "desk/submissions/<uuid:pk>/poster.jpg": Door(DESK, NO_POST, **desk),
    "desk/submissions/<uuid:pk>/sprite.jpg": Door(DESK, NO_POST, **desk),
    "desk/publications/<uuid:pk>/takedown/": Door(
        NO_GET,
        STAFF_ACT,
        only=PUBLIC,
        arg="publication",
        data={"reason": "A reason."},
        in_state={("post", "taken-down"): "302 403 403 409 409"},  # its artist was quicker
    ),
    # No decision is chosen for one in these tests; to whom one is open, tests/review/test_second_looks.py tries.
    "desk/second-looks/": Door(DESK, NO_POST),
    "desk/second-looks/<uuid:pk>/": Door(DESK_CLOSED, DESK_CLOSED, arg="submission"),
    "desk/second-looks/disagreements/": Door("302 403 403 403 403", NO_POST),  # a lead's
    "desk/numbers/": Door(PROGRAM, NO_POST),
    "desk/numbers.csv": Door(PROGRAM, NO_POST),
    "studio/": Door(MEMBERS, NO_POST),
    "studio/forecast/": Door(MEMBERS, NO_POST),
    "studio/draft/": Door(NO_GET, "302 204 204 204 204", data=works),
    "studio/jobs/": Door(MOVED, MOVED, data=works),
    "studio/jobs/<uuid:pk>/": Door(OWN, NO_POST, arg="job"),
    "studio/jobs/<uuid:pk>/status.json": Door(OWN, NO_POST, arg="job"),
    # These jobs are over; what a forming clip's picture tells to whom, tests/generation/test_preview.py tries.
    "studio/jobs/<uuid:pk>/preview.jpg": Door("302 404 404 404 404", NO_POST, arg="job"),
    "studio/jobs/<uuid:pk>/cancellation/": Door(NO_GET, OWN_ACT, arg="job"),
    "studio/jobs/<uuid:pk>/deletion/": Door(NO_GET, LATE, arg="job"),
    "studio/clips/<uuid:pk>/deletion/": Door(
        OWN,
        OWN_ACT,
        arg="clip",
        in_state={(method, state): LATE for method in ("get", "post") for state in STATES[1:]},
    ),
    "studio/clips/<uuid:pk>/": Door(OWN, NO_POST, arg="clip"),
    "studio/clips/<uuid:pk>/video.mp4": Door(OWN, NO_POST, arg="clip"),
    "studio/clips/<uuid:pk>/poster.jpg": Door(OWN, NO_POST, arg="clip"),
    # The clips of this world have no AV1; whose it is where there is one, tests/generation/test_media.py tries.
    "studio/clips/<uuid:pk>/video.av1.mp4": Door("302 404 404 404 404", NO_POST, arg="clip"),
    "studio/clips/<uuid:pk>/sprite.jpg": Door(OWN, NO_POST, arg="clip"),
    "studio/clips/<uuid:pk>/extension/": Door(NO_GET, OWN_ACT, arg="clip"),
    "studio/pictures/": Door(NO_GET, "302 422 422 422 422", data=works),  # no file came with it
    "studio/pictures/<uuid:pk>/picture.jpg": Door(OWN, NO_POST, arg="picture"),
    # Which clips of whom can be compared, tests/generation/test_compare.py tries.
    "studio/compare/": Door(MEMBERS, NO_POST),
    "home/": Door(MOVED, MOVED),
    "inbox/": Door(MEMBERS, NO_POST),
    "inbox/reading/": Door(NO_GET, MOVED),
    "inbox/mail/": Door(NO_GET, MOVED),
    "standing/": Door(MOVED, MOVED, kept_out="200 422"),  # an ended member has nothing to object to
    "allowance/": Door(MEMBERS, NO_POST),
    "program/": Door(PROGRAM, NO_POST),
    "program/pause/": Door(NO_GET, PROGRAM_ACT),
    "program/resumption/": Door(NO_GET, PROGRAM_ACT),
    "program/members/": Door(PROGRAM, NO_POST),
    "program/members/<uuid:pk>/": Door(PROGRAM, NO_POST, arg="member"),
    "program/members/<uuid:pk>/role/": Door(NO_GET, PROGRAM_ACT, arg="member", data={"role": "reviewer"}),
    "program/members/<uuid:pk>/cohort/": Door(NO_GET, PROGRAM_ACT, arg="member", data={"cohort": "{cohort}"}),
    "program/members/<uuid:pk>/allowance/": Door(
        NO_GET, NO_LIMIT, arg="member", data={"seconds": "1", "seen": "0"}
    ),
    "program/members/<uuid:pk>/suspension/": Door(
        NO_GET, PROGRAM_ACT, arg="member", data={"reason": "A reason."}
    ),
    "program/members/<uuid:pk>/lift/": Door(NO_GET, PROGRAM_ACT, arg="member"),
    "program/members/<uuid:pk>/answer/": Door(
        NO_GET, "302 403 403 403 409", arg="member", data={"text": "An answer."}
    ),  # to somebody who never objected
    "program/members/<uuid:pk>/ending/": Door(
        PROGRAM,
        "302 403 403 403 422",
        arg="member",
        data={"reason": "A reason.", "email": "wrong@example.com"},
    ),
    "program/cohorts/": Door(PROGRAM, NO_POST),
    "program/cohorts/new/": Door(PROGRAM, PROGRAM_ACT, data={"name": "Another"}),
    "program/cohorts/<int:pk>/": Door(PROGRAM, PROGRAM_ACT, arg="cohort", data={"name": "Renamed"}),
    "program/cohorts/<int:pk>/allowance/": Door(
        NO_GET, NO_LIMIT, arg="cohort", data={"seconds": "1", "seen": "0"}
    ),
    "program/models/": Door(PROGRAM, NO_POST),
    "program/models/<str:pk>/acknowledgement/": Door(
        NO_GET, "302 403 403 403 409", arg="model"
    ),  # of a model whose license asks for nothing
    "program/policy/": Door(PROGRAM, "302 403 403 403 422"),  # nothing was written
    "program/sightings/": Door(PROGRAM, NO_POST),
    "program/ledger/": Door(PROGRAM, NO_POST),
    "program/ledger.csv": Door(PROGRAM, NO_POST),
    "program/feedback/": Door(PROGRAM, NO_POST),
    "program/feedback.csv": Door(PROGRAM, NO_POST),
    "program/audit/": Door(PROGRAM, NO_POST),
    "program/audit/verification/": Door(NO_GET, PROGRAM_ACT),
    "program/members/<uuid:pk>/factors/": Door(
        PROGRAM, "302 403 403 403 409", arg="member", data={"reason": "They called."}
    ),  # a member who has none to lose
    "program/invitations/": Door(PROGRAM, NO_POST),
    "program/invitations/new/": Door(
        PROGRAM, PROGRAM_ACT, data={"email": "new@example.com", "delivery": "mail", **terms}
    ),
    "program/invitations/many/": Door(PROGRAM, PROGRAM, data={"text": "new@example.com", **terms}),
    "program/invitations/batches/": Door(
        NO_GET, "302 403 403 403 409", data={"text": "new@example.com", **terms}
    ),  # nobody has seen the list that this would invite
    "program/invitations/refused-mails/": Door(NO_GET, PROGRAM_ACT),
    "program/invitations/test-mail/": Door(NO_GET, PROGRAM_ACT),
    "program/invitations/<uuid:pk>/": Door(PROGRAM, NO_POST, arg="invited"),
    "program/invitations/<uuid:pk>/mail/": Door(NO_GET, PROGRAM_ACT, arg="invited"),
    "program/invitations/<uuid:pk>/link/": Door(NO_GET, PROGRAM_ACT, arg="invited"),
    "program/invitations/<uuid:pk>/revocation/": Door(NO_GET, PROGRAM_ACT, arg="invited"),
    "invitations/<str:key>/": Door(ALL, "422 422 422 422 422", arg="invitation", data={"name": "A"}),
    "accounts/login/": Door("200 302 302 302 302", "200 302 302 302 302"),
    "accounts/logout/": Door("302 200 200 200 200", MOVED, kept_out="200 302"),
    "accounts/inactive/": Door(ALL, NEVER),
    "accounts/signup/": Door("200 302 302 302 302", "200 302 302 302 302"),
    "accounts/reauthenticate/": Door(MEMBERS, MEMBERS),
    "accounts/email/": Door(MEMBERS, MOVED),
    "accounts/confirm-email/": Door(ALL, NEVER),
    "accounts/^confirm-email/(?P<key>[-:\\w]+)/$": Door(ALL, ABSENT, arg="mailed"),
    "accounts/password/change/": Door(MEMBERS, MEMBERS),
    "accounts/password/set/": Door(MOVED, MOVED),
    "accounts/password/reset/": Door(ALL, ALL),
    "accounts/password/reset/done/": Door(ALL, NEVER),
    "accounts/password/reset/key/done/": Door(ALL, NEVER),
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": Door(ALL, ALL, arg="reset"),
    "accounts/login/code/confirm/": Door(MOVED, MOVED, kept_out="302 302"),
    "accounts/2fa/": Door(MEMBERS, NO_POST),
    "accounts/2fa/authenticate/": Door(MOVED, MOVED, kept_out="302 302"),
    "accounts/2fa/reauthenticate/": Door(MOVED, MOVED),
    "accounts/2fa/totp/activate/": Door(MOVED, MOVED),
    "accounts/2fa/totp/deactivate/": Door(NONE_YET, NONE_YET),
    "accounts/2fa/recovery-codes/": Door(NONE_YET, NO_POST),
    "accounts/2fa/recovery-codes/download/": Door(NONE_YET, NONE_YET),
    "accounts/2fa/recovery-codes/generate/": Door(MOVED, MOVED),
    "accounts/2fa/webauthn/": Door(MEMBERS, NO_POST),
    "accounts/2fa/webauthn/add/": Door(MOVED, MOVED),
    "accounts/2fa/webauthn/keys/<int:pk>/edit/": Door(MOVED, MOVED, arg="key"),
    "accounts/2fa/webauthn/keys/<int:pk>/remove/": Door(MOVED, MOVED, arg="key"),
    "accounts/2fa/webauthn/login/": Door(MOVED, MOVED, kept_out="302 302"),
    "accounts/2fa/webauthn/reauthenticate/": Door(MOVED, MOVED),
    "accounts/sessions/": Door(MEMBERS, MOVED),
    "healthz": Door(ALL, NEVER),
    "readyz": Door(ALL, NEVER),
    "metrics": Door(ABSENT, ABSENT),  # but to one who brings the token: tests/operations/test_metrics.py
}
# The whole list of what anonymous visitors can see; everything else sends them to the login or doesn't exist.
OPEN = {
    "",
    "verify/",
    "policy/",
    "policy/<version:name>/",
    "transparency/",
    "transparency.csv",
    "verify/anchors.pem",
    "watch/<work:slug>/",
    "watch/<work:slug>/video.mp4",
    "watch/<work:slug>/poster.jpg",
    "watch/<work:slug>/sprite.jpg",
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


def path_of(pattern: str, world, state: str) -> str:
    ids, door = world.clips[state].ids, DOORS[pattern]
    values = {
        "invitation": world.key,
        "mailed": "MQ:1abc:signature",
        "reset": "",
        "key": "1",
        "member": world.people["owner"].pk,
        "cohort": world.people["owner"].membership.cohort_id,
        "invited": world.invitation.pk,
        "model": "embedded",
        "version": "2026-11",
    }
    if door.arg == "reset":
        return "/accounts/password/reset/key/1-set-password/"
    if pattern.startswith("accounts/^confirm"):
        return f"/accounts/confirm-email/{values['mailed']}/"
    value = str(ids.get(door.arg) or values.get(door.arg, ""))
    return "/" + re.sub(r"<[a-z]+:[a-z]+>", value, pattern)


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
    # The hash stands in the decision's record.
    expected -= {"hash"} if state in ("waiting", "claimed", "withdrawn") else set()
    assert {name for name in expected if world.clips[state].secrets[name] in told} == expected


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("state", AT_DESK)
def test_the_reviewer_gets_what_there_is_to_decide_on(world, state):
    told = "".join(
        answered(world.clients["reviewer"].get(path_of(f"desk/submissions/<uuid:pk>/{part}", world, state)))
        for part in ("", "video.mp4", "poster.jpg", "sprite.jpg")
    )
    expected = {
        "title",
        "statement",
        "prompt",
        "hash",
        "submission",
        "copy",
        "public poster",
        "public sprite",
    }
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
    door, seen = DOORS[pattern], {}
    for person, client in world.clients.items():
        kept = client.cookies.copy()
        seen |= _tried(world, settings, pattern, person, client)
        client.cookies = kept  # whoever logged out still has a session, for that was undone
    for how in KEPT_OUT:
        with keeping_out(world, how) as client:
            seen |= _tried(world, settings, pattern, how, client)
    wrong = {key: status for key, status in seen.items() if status != door.status(*key)}
    assert wrong == {}


def _tried(world, settings, pattern, person, client) -> dict:
    """(method, person, state): status, for all that one person can try at one door."""
    door, seen = DOORS[pattern], {}
    for state in (
        STATES if door.arg in ("clip", "job", "picture", "submission", "publication", "slug") else STATES[:1]
    ):
        path = path_of(pattern, world, state)
        known = {"{hash}": world.clips[state].hash, "{cohort}": world.people["owner"].membership.cohort_id}
        data = {name: known.get(value, value) for name, value in door.data.items()}
        for method in ("get", "post"):
            with nothing_stays(settings) if method == "post" else transaction.atomic():
                response = getattr(client, method)(path, data if method == "post" else None)
                told = answered(response)
                if response.headers.get("Location") == LOGIN + path:
                    told = told.replace(path, "")  # the visitor's own words, given back by the login
                assert leaks(world, person, told) == [], (method, person, state)
                if person == "anonymous" and response.status_code == 302 and pattern not in OPEN:
                    assert response["Location"] in (LOGIN + path, "/", "/accounts/login/")
                if person in KEPT_OUT and door.leads_to_standing:
                    assert response.headers.get("Location") == "/standing/", (method, person, state)
            seen[method, person, state] = response.status_code
    return seen


@pytest.mark.usefixtures("undone")
@pytest.mark.parametrize("who", ["reviewer", "admin"])
@pytest.mark.parametrize("how", KEPT_OUT)
def test_no_role_opens_a_door_to_somebody_who_is_kept_out(world, settings, how, who):
    with keeping_out(world, how, who) as client:
        for pattern, door in DOORS.items():
            for method in ("get", "post") if door.leads_to_standing else ():
                with nothing_stays(settings):
                    response = getattr(client, method)(path_of(pattern, world, "published"))
                    assert response.headers.get("Location") == "/standing/", (method, pattern)


def test_the_doors_open_to_all_are_exactly_these():
    opened = {
        pattern
        for pattern, door in DOORS.items()
        if any(
            door.status(method, "anonymous", state) == 200 for method in ("get", "post") for state in STATES
        )
    }
    assert opened == OPEN
