"""Everybody does anything in any order, and what is public is always, byte for byte, what somebody else approved."""

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import wraps
from pathlib import Path

import pytest
from django.db import IntegrityError, transaction
from django.test import Client, override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from accounts.models import User
from generation import queue, storage
from generation.models import Job
from review import scheduling, sweep, triggers
from review.models import Appeal, Claim, Consent, Decision, Hearing, Inquiry, Publication, Submission
from tests import factories

BACKEND = "accounts.backends.MemberBackend"
MEMBERS = ("ada", "ben", "rita", "ruth", "rolf")  # two artists, and three reviewers, who make clips too
REVIEWERS = ("rita", "ruth", "rolf")
DECIDED = ("refused", "approved", "published", "taken-down")
members = st.sampled_from(MEMBERS)
reviewers = st.sampled_from(REVIEWERS)
TAKE = {"prompt": "a test card", "model": "testcard", "aspect": "1:1", "duration": "1"}
uses = st.sampled_from(["gallery", "gallery", "press", "training"])
numbers = st.integers(min_value=0, max_value=50)
rightly = st.sampled_from([True, True, True, False])  # mostly by whoever may: else nothing would ever get far


@dataclass
class Work:
    """What we expect of one submission, kept apart from the product's own records."""

    pk: object
    clip: object
    artist: str
    title: str
    at_once: bool
    bytes: dict = field(default_factory=dict)  # of the public files, once they are made
    state: str = "preparing"
    holder: str | None = None
    shown: str = ""  # the content hash that the reviewers' page showed; "" until it is sealed
    approved_by: str | None = None
    slug: str = ""
    public: object = None
    flags: int = 0  # of machines: no rule here asks for them, because nothing may follow from them
    passed: set = field(default_factory=set)
    recused: set = field(default_factory=set)
    marks: set = field(default_factory=set)
    said: dict = field(default_factory=dict)  # who assessed it: how

    def takes_two(self, outcome) -> bool:
        return "sensitive" in self.marks or ("criticism" in self.marks and outcome == "refuse")

    def agreed(self, outcome) -> int:
        return sum(said == outcome and who not in self.clip.recused for who, said in self.said.items())

    judged: set = field(default_factory=set)  # who decided on it, took it down, or ended its appeal
    taken_down_by: str | None = None
    appeal: str = ""  # "open", "dismissed" or "upheld"
    hearer: str | None = None  # who has claimed its appeal
    opened_by: str | None = None  # who upheld the appeal that opened it
    reports: int = 0  # without an answer
    looked_into_by: str | None = None
    allowed: set = field(default_factory=lambda: {"gallery"})
    has_time: bool = False  # set, and still to come


@dataclass
class Made:
    pk: object
    owner: str
    works: list = field(default_factory=list)

    @property
    def recused(self) -> set:
        """A recusal from one version holds for all."""
        return {who for work in self.works for who in work.recused}

    @property
    def is_appealed(self) -> bool:
        return any(work.appeal == "open" for work in self.works)

    def involved(self, before=None) -> set:
        """Everybody who had a part in it, or in the versions before one of its works."""
        works = self.works[: self.works.index(before)] if before else self.works
        return {who for work in works for who in work.recused | work.passed | work.judged}


class TurnedAway(Exception):
    """Nothing was done, because of who asked; `post` has seen that it was said in the right way."""


def acting(rule):
    """What a rule expects of its act counts only for those who may try it at all."""

    @wraps(rule)
    def tried(self, *args, **kwargs):
        with suppress(TurnedAway):
            rule(self, *args, **kwargs)

    return tried


class Program(RuleBasedStateMachine):
    people: dict  # set by the test: name -> (user, client)
    place: Path

    def __init__(self):
        super().__init__()
        self.works, self.clips = [], []
        self.titles = iter(range(10_000))
        self.stranger = Client()
        Program.examples = getattr(Program, "examples", 0) + 1
        place = self.place / str(Program.examples)
        self.stores = override_settings(PRIVATE_STORE=place / "private", PUBLIC_STORE=place / "public")
        self.stores.enable()
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        self.standing = dict.fromkeys(self.people, "active")
        self.roles = {name: "reviewer" if name in REVIEWERS else "artist" for name in MEMBERS}
        self.is_paused = False
        for name in self.people:
            self.log_in(name)

    def teardown(self):
        transaction.set_rollback(True)
        self.rollback.__exit__(None, None, None)
        self.stores.disable()

    def log_in(self, who):
        user, client = self.people[who]
        client.force_login(User.objects.get(pk=user.pk), backend=BACKEND)

    def post(self, who, path, **data):
        """Whoever is kept out is led to the one page that is theirs, and the desk is closed to artists."""
        response = self.people[who][1].post(path, data)
        if self.standing[who] != "active":
            assert (response.status_code, response.url) == (302, "/standing/")
            raise TurnedAway
        if path.startswith("/desk/") and self.roles.get(who) == "artist":
            assert response.status_code == 403
            raise TurnedAway
        return response

    def post_at_desk(self, who, work, act, **data) -> int:
        """The desk knows nothing of what isn't sealed."""
        status = self.post(who, f"/desk/submissions/{work.pk}/{act}/", **data).status_code
        if not work.shown:
            assert status == 404
            raise TurnedAway
        return status

    def may_review(self, who) -> bool:
        return self.standing.get(who) == "active" and self.roles[who] == "reviewer"

    def pick(self, number) -> Work:
        return self.works[number % len(self.works)]

    # --- What people do, rightly or not ------------------------------------------------------------

    @initialize(at_once=st.booleans())
    def begin(self, at_once):
        for number, owner in enumerate(("ada", "ben", "rita")):
            self.make(owner)
            self.submit(number, owner, True, at_once, True)

    @precondition(lambda self: len(self.clips) < 5)
    @rule(owner=members)
    def make(self, owner):
        if self.is_paused or self.standing[owner] != "active":
            return self.ask_for_a_take(owner)
        number = len(self.clips)
        made = factories.clip(self.people[owner][0], f"prompt {number}")
        self.clips.append(Made(made.pk, owner))

    @rule(number=numbers, who=members, right=rightly, at_once=st.booleans(), worked=rightly)
    @acting
    def submit(self, number, who, right, at_once, worked):
        clip = self.clips[number % len(self.clips)]
        who = clip.owner if right else who
        title = f"Title {next(self.titles)}"
        data = {"title": title, **({"publish_on_approval": "on"} if at_once else {})}
        status = self.post(who, f"/studio/clips/{clip.pk}/submissions/", **data).status_code
        open_ones = [w for w in clip.works if w.state not in ("withdrawn", "refused", "taken-down")]
        if who != clip.owner:
            assert status == 404
        elif open_ones or clip.is_appealed:
            assert status == 409
        else:
            assert status == 302
            made = Submission.objects.get(title=title)
            assert made.version == len(clip.works) + 1
            work = Work(made.pk, clip, who, title, at_once)
            clip.works.append(work)
            self.works.append(work)
            if worked:
                self.the_worker_works()

    @rule(seen=st.lists(st.sampled_from(["picture", "words", "duplicate"]), max_size=3))
    def the_worker_works(self, seen=()):
        """What waits is sealed, whatever has become of its artist and whatever a machine sees in it; what was withdrawn
        isn't."""
        for work in [work for work in self.works if work.state == "preparing"]:
            sealed = factories.prepared(
                Submission.objects.get(pk=work.pk), seen=factories.seen(*seen, score=1.0)
            )
            work.flags = len(seen)
            work.state, work.shown = "waiting", sealed.content_hash
            work.bytes = {file.kind: factories.bytes_of(sealed, file.kind) for file in sealed.files.all()}
        for work in self.works:
            assert Submission.objects.get(pk=work.pk).content_hash == (work.shown or None)

    @rule(number=numbers, who=members)
    @acting
    def withdraw(self, number, who):
        work = self.pick(number)
        status = self.post(who, f"/studio/submissions/{work.pk}/withdrawal/").status_code
        if who != work.artist:
            assert status == 404
        elif work.state not in ("preparing", "waiting"):
            assert status == 409
        else:
            assert status == 302
            work.state = "withdrawn"

    @rule(who=reviewers)
    @acting
    def claim_next(self, who):
        response = self.post(who, "/desk/next/")
        assert response.status_code == 302
        if response.url == "/desk/":
            offered = [
                w for w in self.works if self.may_hold(who, w) and (w.holder == who or who not in w.passed)
            ]
            assert offered == []
            return
        work = next(work for work in self.works if str(work.pk) in response.url)
        assert self.may_hold(who, work)
        assert work.holder == who or who not in work.passed
        work.holder = who

    @rule(number=numbers, who=reviewers)
    @acting
    def claim(self, number, who):
        work = self.pick(number)
        status = self.post_at_desk(who, work, "claim")
        assert status == (302 if self.may_hold(who, work) else 409)
        work.holder = who if status == 302 else work.holder

    def may_hold(self, who, work) -> bool:
        """A claim holds only while its holder may review."""
        holder = work.holder if self.may_review(work.holder) else None
        stranger = who != work.artist and who not in work.clip.recused and who not in work.said
        return work.state == "waiting" and holder in (None, who) and stranger and self.is_offered(who, work)

    def is_offered(self, who, work) -> bool:
        """What an appeal opened waits for its hearer, or else for somebody who had no part before."""
        if work.opened_by in (None, who):
            return True
        hearer_can = self.may_review(work.opened_by) and work.opened_by not in work.clip.recused
        hearer_can = hearer_can and work.opened_by not in work.said
        return not hearer_can and who not in work.clip.involved(before=work)

    @rule(number=numbers, who=reviewers)
    @acting
    def sign_of_life(self, number, who):
        """The room's renewal changes nothing but the time, and says truly whether the claim holds."""
        work = self.pick(number)
        status = self.post_at_desk(who, work, "renewal")
        assert status == (200 if work.state == "waiting" and work.holder == who else 409)

    @rule(number=numbers, who=reviewers)
    @acting
    def pass_on(self, number, who):
        work = self.pick(number)
        status = self.post_at_desk(who, work, "pass", reason="Why.")
        if work.state == "waiting" and work.holder == who and self.is_offered(who, work):
            assert status == 302
            work.passed.add(who)
            work.holder = None
        else:
            assert status == 409

    @precondition(lambda self: sum(len(work.recused) for work in self.works) < 3)  # else nobody would decide
    @rule(number=numbers, who=reviewers)
    @acting
    def recuse(self, number, who):
        work = self.pick(number)
        status = self.post_at_desk(who, work, "recusal", reason="Why.")
        if who in work.recused:
            assert status == 302  # a second click
        elif work.state != "waiting" or who == work.artist or who in work.clip.recused:
            assert status == 409
        else:
            assert status == 302
            work.recused.add(who)
            work.holder = None if work.holder == who else work.holder

    @precondition(lambda self: sum(bool(work.marks) for work in self.works) < 3)
    @rule(number=numbers, who=reviewers, kind=st.sampled_from(["sensitive", "sensitive", "criticism"]))
    @acting
    def mark(self, number, who, kind):
        """Whoever sees it may ask for a second pair of eyes, whoever holds it."""
        waiting = [work for work in self.works if work.state == "waiting"] or self.works
        work = waiting[number % len(waiting)]
        status = self.post_at_desk(who, work, "sensitivity", kind=kind, why="Why.")
        right = work.state == "waiting" and who != work.artist and who not in work.clip.recused
        assert status == (302 if right else 409)
        work.marks |= {kind} if right else set()

    @rule(number=numbers)
    def time_passes(self, number):
        """Long enough for one claim to lapse."""
        work = self.pick(number)
        Claim.objects.filter(submission=work.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
        work.holder = None

    @rule(number=numbers, who=members, approve=st.booleans(), stale=st.integers(min_value=0, max_value=4))
    @acting
    def decide(self, number, who, approve, stale):
        """Anybody tries: holders and others, artists on their own clips, now and then with another clip's hash."""
        work = self.pick(number)
        shown = work.shown if stale else self.works[(number + 1) % len(self.works)].shown
        words = {"reasons": ["hate"], "note": "A note."} if not approve else {"note": ""}
        outcome = "approve" if approve else "refuse"
        status = self.post_at_desk(who, work, "decision", outcome=outcome, content_hash=shown, **words)
        right = work.state == "waiting" and work.holder == who and work.artist != who and shown == work.shown
        right = right and self.is_offered(who, work)
        assert status == (302 if right else 409)
        if right and work.takes_two(outcome):
            work.said[who] = outcome
            work.judged.add(who)
            right = work.agreed(outcome) == 2
            work.holder = None
        if right:
            work.state = "refused"
            work.judged.add(who)
            if approve:
                work.state, work.approved_by = "approved", who
                if work.at_once and self.standing[work.artist] == "active" and "gallery" in work.allowed:
                    self._is_public(work)

    @rule(number=numbers, approve=rightly)
    def review(self, number, approve):
        """The usual way through the desk, so that enough of what happens is the product's work."""
        waiting = [work for work in self.works if work.state == "waiting"] or self.works
        number = self.works.index(waiting[number % len(waiting)])
        others = [name for name in MEMBERS if self.may_review(name) and name != self.works[number].artist]
        for who in others[: 2 if self.works[number].marks else 1]:
            self.claim(number, who)
            self.decide(number, who, approve, 1)

    @precondition(lambda self: any(work.state == "approved" for work in self.works))
    @rule(number=numbers)
    def publish_what_is_approved(self, number):
        approved = [work for work in self.works if work.state == "approved"]
        work = approved[number % len(approved)]
        self.publish(self.works.index(work), work.artist, True)

    @rule(number=numbers, who=members, right=rightly)
    @acting
    def publish(self, number, who, right):
        work = self.pick(number)
        who = work.artist if right else who
        status = self.post(who, f"/studio/submissions/{work.pk}/publication/").status_code
        if who != work.artist:
            assert status == 404
        elif work.state != "published" and not (work.state == "approved" and "gallery" in work.allowed):
            assert status == 409
        else:
            assert status == 302
            self._is_public(work)

    @rule(number=numbers, who=members, right=rightly, use=uses)
    @acting
    def allow(self, number, who, right, use):
        work = self.pick(number)
        who = work.artist if right else who
        status = self.post(who, f"/studio/submissions/{work.pk}/consents/", use=use).status_code
        if who != work.artist:
            assert status == 404
        elif work.state in ("refused", "withdrawn", "taken-down"):
            assert status == 409
        else:
            assert status == 302
            work.allowed.add(use)

    @rule(number=numbers, who=members, right=rightly, use=uses)
    @acting
    def revoke(self, number, who, right, use):
        work = self.pick(number)
        who = work.artist if right else who
        status = self.post(who, f"/studio/submissions/{work.pk}/revocation/", use=use).status_code
        assert status == (302 if who == work.artist else 404)
        if who == work.artist:
            work.allowed.discard(use)
            if (work.state, use) == ("published", "gallery"):
                work.state, work.taken_down_by = "taken-down", who

    def can_have_a_time(self, work) -> bool:
        return work.state == "approved" or (work.state in ("preparing", "waiting") and not work.at_once)

    @rule(number=numbers, who=members, right=rightly)
    @acting
    def set_a_time(self, number, who, right):
        work = self.pick(number)
        who = work.artist if right else who
        tomorrow = f"{timezone.now() + timedelta(days=1):%Y-%m-%dT%H:%M}"
        status = self.post(who, f"/studio/submissions/{work.pk}/schedule/", publish_at=tomorrow).status_code
        if who != work.artist:
            assert status == 404
        elif not self.can_have_a_time(work):
            assert status == 409
        else:
            assert status == 302
            work.has_time = True

    @rule(number=numbers, who=members, right=rightly)
    @acting
    def call_off(self, number, who, right):
        work = self.pick(number)
        who = work.artist if right else who
        status = self.post(who, f"/studio/submissions/{work.pk}/calling-off/").status_code
        if who != work.artist:
            assert status == 404
        else:
            assert status == (409 if work.state == "published" and not work.has_time else 302)
            work.has_time = False

    @rule(number=numbers, before=st.sampled_from(["nothing", "nothing", "revoke", "suspend", "call off"]))
    def a_time_comes(self, number, before):
        """What is set for tomorrow stays; this one is moved up to be due in a moment."""
        ready = [w for w in self.works if self.can_have_a_time(w) and self.standing[w.artist] == "active"]
        if not ready:
            return
        work = ready[number % len(ready)]
        submission = Submission.objects.get(pk=work.pk)
        soon = self.soon_due(submission)
        work.has_time = True
        number = self.works.index(work)
        if before == "revoke":
            self.revoke(number, work.artist, True, "gallery")
        elif before == "suspend":
            self.suspend(work.artist)
        elif before == "call off":
            self.call_off(number, work.artist, True)
        time.sleep(max((soon - timezone.now()).total_seconds(), 0) + 0.01)
        scheduling.publish_due()
        work.has_time = False
        is_right = work.state == "approved" and "gallery" in work.allowed and before in ("nothing", "revoke")
        if is_right and self.standing[work.artist] == "active":
            self._is_public(work)
        assert not Submission.objects.get(pk=work.pk).schedules.open().exists()

    def soon_due(self, submission):
        """A time is set ahead of it or not at all, so on a busy machine it takes a later one."""
        for seconds in (0.05, 0.5, 5):
            soon = timezone.now() + timedelta(seconds=seconds)
            with suppress(scheduling.BadTime, IntegrityError), transaction.atomic():
                scheduling.schedule(submission, by=submission.artist, publish_at=soon, zone="UTC")
                return soon
        raise AssertionError("no time could be set")

    def _is_public(self, work):
        public = Publication.objects.get(approval__submission=work.pk)
        work.state, work.slug, work.public = "published", public.slug, public.pk

    @rule(number=numbers, who=members)
    @acting
    def artist_takes_down(self, number, who):
        work = self.pick(number)
        if work.public:
            status = self.post(who, f"/studio/publications/{work.public}/takedown/").status_code
            was_quicker = 302 if work.taken_down_by in (None, who) else 409
            assert status == (was_quicker if who == work.artist else 404)
            if who == work.artist and work.state == "published":
                work.state, work.taken_down_by = "taken-down", who

    @rule(number=numbers, who=members)
    @acting
    def staff_takes_down(self, number, who):
        work = self.pick(number)
        if work.public:
            status = self.post(who, f"/desk/publications/{work.public}/takedown/", reason="Why.").status_code
            assert status == (302 if work.taken_down_by in (None, who) else 409)
            self._is_down(work, who)

    def _is_down(self, work, who):
        if work.state == "published":
            work.state, work.taken_down_by = "taken-down", who
            work.judged.add(who)

    # --- Appeals and reports ------------------------------------------------------------------------------

    @rule(number=numbers, who=members, right=rightly)
    @acting
    def appeal(self, number, who, right):
        ended = [work for work in self.works if work.state in ("refused", "taken-down")] or self.works
        work = ended[number % len(ended)]
        who = work.artist if right else who
        text = f"Appeal {next(self.titles)}"
        status = self.post(who, f"/studio/submissions/{work.pk}/appeal/", text=text).status_code
        later = work.clip.works[work.clip.works.index(work) + 1 :]
        against = (
            work.opened_by is None
            if work.state == "refused"
            else work.state == "taken-down" and work.taken_down_by != work.artist
        )
        if who != work.artist:
            assert status == 404
        elif against and not work.appeal and all(other.state == "withdrawn" for other in later):
            assert status == 302
            work.appeal = "open"
        else:
            assert status == 409

    def may_hear(self, who, work) -> bool:
        stranger = who != work.artist and who not in work.clip.involved()
        return work.appeal == "open" and self.may_review(who) and stranger

    def appealed(self, number) -> Work | None:
        appealed = [work for work in self.works if work.appeal]
        return appealed[number % len(appealed)] if appealed else None

    @rule(number=numbers, who=reviewers)
    @acting
    def claim_an_appeal(self, number, who):
        if work := self.appealed(number):
            status = self.post(who, f"/desk/appeals/{self._appeal(work).pk}/claim/").status_code
            holder = work.hearer if self.may_review(work.hearer) else None
            assert status == (302 if self.may_hear(who, work) and holder in (None, who) else 409)
            work.hearer = who if status == 302 else work.hearer

    @rule(
        number=numbers,
        who=reviewers,
        how=st.sampled_from(["messages", "dismissal", "upholding", "upholding"]),
    )
    @acting
    def hear(self, number, who, how):
        if work := self.appealed(number):
            words = f"Words {next(self.titles)}."
            path = f"/desk/appeals/{self._appeal(work).pk}/{how}/"
            status = self.post(who, path, text=words, note=words).status_code
            again = (
                how == "upholding"
                and work.appeal == "upheld"
                and work.judged
                and who == self._upheld_by(work)
            )
            if again:
                assert status == 302  # a second click
            elif not (self.may_hear(who, work) and work.hearer == who):
                assert status == 409
            else:
                assert status == 302
                if how != "messages":
                    work.appeal = {"dismissal": "dismissed", "upholding": "upheld"}[how]
                    work.judged.add(who)
                if how == "upholding":
                    self._is_opened_again(work, who)

    def _is_opened_again(self, work, by):
        """The same words and bytes, which the invariants then look for if it becomes public."""
        opened = Submission.objects.get(upholding__appeal__submission=work.pk)
        assert opened.version == len(work.clip.works) + 1
        new = Work(opened.pk, work.clip, work.artist, work.title, work.at_once, work.bytes)
        new.state, new.shown, new.holder, new.opened_by = "waiting", work.shown, by, by
        new.allowed = set(work.allowed)
        work.clip.works.append(new)
        self.works.append(new)

    def _upheld_by(self, work) -> str:
        return next(
            other.opened_by for other in work.clip.works[work.clip.works.index(work) + 1 :] if other.opened_by
        )

    def _appeal(self, work) -> Appeal:
        return Appeal.objects.get(submission=work.pk)

    @rule(number=numbers, approve=rightly)
    def whole_appeal(self, number, approve):
        """The usual way of one, so that enough of what an appeal opens gets far."""
        ended = [work for work in self.works if work.state in ("refused", "taken-down") and not work.appeal]
        if ended:
            work = ended[number % len(ended)]
            self.appeal(ended.index(work), work.artist, True)
        for work in [work for work in self.works if work.appeal == "open"][:1]:
            for who in [name for name in MEMBERS if self.may_hear(name, work)][:1]:
                place = [other for other in self.works if other.appeal].index(work)
                self.claim_an_appeal(place, who)
                self.hear(place, who, "upholding")
                if work.appeal == "upheld":
                    self.decide(len(self.works) - 1, who, approve, 1)

    @rule(number=numbers)
    def report(self, number):
        work = self.pick(number)
        if work.slug:
            data = {"reason": "hate", "text": f"Report {next(self.titles)}"}
            with override_settings(ACCOUNT_RATE_LIMITS={"report": "999/h/ip"}):
                status = self.stranger.post(f"/watch/{work.slug}/reports/", data).status_code
            assert status == (302 if work.state == "published" else 410)
            work.reports += status == 302

    @rule(number=numbers, who=reviewers, keep=st.booleans())
    @acting
    def answer_reports(self, number, who, keep):
        reported = [work for work in self.works if work.reports]
        if not reported:
            return
        work = reported[number % len(reported)]
        place = f"/desk/reports/{work.public}/"
        claimed = self.post(who, f"{place}claim/").status_code
        holder = work.looked_into_by if self.may_review(work.looked_into_by) else None
        assert claimed == (302 if who != work.artist and holder in (None, who) else 409)
        work.looked_into_by = who if claimed == 302 else work.looked_into_by
        seen = Inquiry.objects.get(pk=work.public).open_reports.last().number
        data = {"outcome": "kept" if keep else "taken-down", "note": "So it is.", "seen": seen}
        status = self.post(who, f"{place}answer/", **data).status_code
        if claimed == 409 or (keep and work.state == "taken-down"):
            assert status == 409
            return
        assert status == 302
        work.reports, work.looked_into_by = 0, None
        if not keep:
            self._is_down(work, who)

    @rule(number=numbers, kind=st.sampled_from(["video", "poster", "sprite"]), spoiled=st.booleans())
    def disk_fails(self, number, kind, spoiled):
        """A private file is spoiled, or a public copy lost; later the disk is repaired and the sweep runs."""
        sealed = [work for work in self.works if work.shown]
        live = [work for work in self.works if work.state == "published"] or sealed
        work = live[number % len(live)]
        kept = storage.private().path(storage.private_name(hashlib.sha256(work.bytes[kind]).hexdigest()))
        if work.slug:
            storage.public().path(f"{work.slug}/{kind}").unlink(missing_ok=True)
        if spoiled:
            kept.write_bytes(b"other bytes")
            sweep.sweep()
            self.nothing_unapproved_is_public(whole=False)
            kept.write_bytes(work.bytes[kind])
        sweep.sweep(grace=0)

    # --- What admins do --------------------------------------------------------------------------------

    def office(self, who, act, **data) -> int:
        return self.post("adam", f"/program/members/{self.people[who][0].pk}/{act}/", **data).status_code

    def loses_their_sessions(self, who):
        assert self.people[who][1].get("/studio/").url.startswith("/accounts/login/")
        self.log_in(who)

    @rule(who=members)
    def suspend(self, who):
        status = self.office(who, "suspension", reason="Why.")
        assert status == (409 if self.standing[who] == "ended" else 302)
        if self.standing[who] == "active":
            self.standing[who] = "suspended"
            self.loses_their_sessions(who)

    @rule(number=numbers, demoted=st.booleans())
    def lose_the_holder(self, number, demoted):
        """What a reviewer holds is free in the moment in which they may review no more."""
        free = [work for work in self.works if work.state == "waiting"] or self.works
        work = free[number % len(free)]
        number = self.works.index(work)
        for who in [name for name in MEMBERS if self.may_review(name)]:
            self.claim(number, who)
            if work.holder == who:
                self.change_role(who, "artist") if demoted else self.suspend(who)

    @rule(who=members)
    def lift(self, who):
        assert self.office(who, "lift") == 302
        self.standing[who] = "active" if self.standing[who] == "suspended" else self.standing[who]

    @precondition(
        lambda self: sum(map(self.may_review, MEMBERS)) < 2 or "suspended" in self.standing.values()
    )
    @rule(really=rightly)
    def start_afresh(self, really):
        """So that enough of what happens is the product's work."""
        for who in MEMBERS if really else ():
            self.lift(who)
            self.change_role(who, "reviewer" if who in REVIEWERS else "artist")

    @precondition(lambda self: "ended" not in self.standing.values())  # else nobody would be left
    @rule(who=members, sure=st.integers(min_value=0, max_value=4))
    def end(self, who, sure):
        email = self.people[who][0].email if sure == 4 else "wrong@example.com"
        status = self.office(who, "ending", reason="Why.", email=email)
        assert status == (302 if sure == 4 else 422)
        if sure == 4:
            self.standing[who] = "ended"
            self.loses_their_sessions(who)

    @rule(who=members, to=st.sampled_from(["artist", "reviewer"]))
    def change_role(self, who, to):
        status = self.office(who, "role", role=to)
        assert status == (409 if self.standing[who] == "ended" else 302)
        if status == 302 and self.roles[who] != to:
            self.roles[who] = to
            self.loses_their_sessions(who)

    @rule(who=members)
    def run_it_alone(self, who):
        """Members knock at the admins' doors; and the last admin tries to demote themselves."""
        client, target = self.people[who][1], self.people["adam"][0].pk
        for act, data in (("suspension", {"reason": "Why."}), ("role", {"role": "artist"})):
            response = client.post(f"/program/members/{target}/{act}/", data)
            assert response.status_code == (403 if self.standing[who] == "active" else 302)
            assert self.office("adam", act, **data) == 409

    @rule(on=st.booleans())
    def switch(self, on):
        self.post("adam", "/program/resumption/" if on else "/program/pause/")
        self.is_paused = not on

    @rule(who=members)
    @acting
    def ask_for_a_take(self, who):
        """What is accepted is cancelled again: the other rules' queue is short."""
        before = Job.objects.count()
        try:
            response = self.post(who, "/studio/jobs/", **TAKE)
        except TurnedAway:
            assert Job.objects.count() == before
            raise
        assert response.status_code in ((503,) if self.is_paused else (302, 429))
        assert Job.objects.count() == before + (response.status_code == 302)
        if response.status_code == 302:
            self.post(who, f"{response.url}cancellation/")
        assert queue.claim_next("nobody") is None

    # --- What must hold after each of these ------------------------------------------------------------

    @invariant()
    def nothing_unapproved_is_public(self, whole=True):
        live = {work.slug: work for work in self.works if work.state == "published"}
        for work in live.values():
            assert work.approved_by not in (None, work.artist)
            if "sensitive" in work.marks:
                assert list(work.said.values()).count("approve") >= 2
        page = self.stranger.get("/")
        assert {shown.slug for shown in page.context["publications"]} == set(live)
        for work in self.works:
            assert (work.title in page.text) == (work.title in {other.title for other in live.values()})
            if work.slug:
                self._is_served_rightly(work, work.slug in live, whole)
        self._disk_holds_only(live, whole)

    def _is_served_rightly(self, work, is_live, whole):
        watch = self.stranger.get(f"/watch/{work.slug}/")
        assert (watch.status_code, work.title in watch.text) == ((200, True) if is_live else (410, False))
        for kind, name in (("video", "video.mp4"), ("poster", "poster.jpg")):
            response = self.stranger.get(f"/watch/{work.slug}/{name}")
            if not is_live:
                assert (response.status_code, response.content) == (410, b"")
            elif whole or response.status_code != 404:
                assert (response.status_code, response.getvalue()) == (200, work.bytes[kind])

    def _disk_holds_only(self, live, whole):
        root = storage.public().root
        found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        right = {f"{slug}/{kind}": data for slug, work in live.items() for kind, data in work.bytes.items()}
        assert found == right if whole else found.items() <= right.items()

    @invariant()
    def every_record_says_the_same(self):
        for work in self.works:
            submission = Submission.objects.get(pk=work.pk)
            assert (submission.state, submission.flags.count()) == (work.state, work.flags)
            live = Consent.objects.live().filter(submission=submission)
            assert set(live.values_list("use", flat=True)) == work.allowed
            assert work.state != "published" or "gallery" in work.allowed
            assert submission.schedules.open().exists() == work.has_time
        assert Appeal.objects.count() == sum(bool(work.appeal) for work in self.works)
        assert Hearing.objects.open().count() == sum(work.appeal == "open" for work in self.works)
        assert Inquiry.objects.open().count() == sum(bool(work.reports) for work in self.works)

    @invariant()
    def a_flag_decides_nothing(self):
        """There are as many decisions as reviewers have made, and as many publications as artists have asked for."""
        decided = [work for work in self.works if work.state in DECIDED]
        assert Decision.objects.count() == len(decided)
        assert Publication.objects.count() == len([work for work in decided if work.slug])


def explore(tmp_path, monkeypatch, *, examples, steps, random):
    people = {
        name: factories.member("reviewer" if name in REVIEWERS else "artist", name=name) for name in MEMBERS
    }
    monkeypatch.setattr(Program, "place", tmp_path, raising=False)
    monkeypatch.setattr(Program, "people", {}, raising=False)
    for name, user in people.items():
        Program.people[name] = (user, Client())
    Program.people["adam"] = (factories.member("admin"), Client())
    assert triggers.missing_triggers() == []
    run_state_machine_as_test(
        Program,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=not random,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink] if random else [Phase.generate],
        ),
    )


@pytest.mark.django_db
def test_whatever_is_public_was_approved_byte_for_byte(tmp_path, monkeypatch):
    explore(tmp_path, monkeypatch, examples=14, steps=30, random=False)


@pytest.mark.soak
@pytest.mark.django_db
def test_whatever_is_public_was_approved_byte_for_byte_in_a_long_run(tmp_path, monkeypatch):
    explore(tmp_path, monkeypatch, examples=200, steps=50, random=True)
