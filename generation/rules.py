"""What the admins' rules find in an artist's words, and whom they stop; and the acts on rules and on objections.

A rule that blocks is asked before a take is accepted, before one that was accepted begins, and when words are sent in.
One that flags tells reviewers, and stops nobody: that is review.screening's. The words of an upheld objection pass.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Max, UUIDField
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import audit, exclusion
from accounts.models.notice import Notice, notify
from accounts.prepared import Slot, prepared

from . import wording
from .models import Job, RuleAnswer, RuleBlock, RuleEnd, RuleObjection, WordRule

Place, Does = WordRule.Place, WordRule.Does
MOST_RULES = 100  # in force at once
RECENT = 500  # prompts that a rule is tried on

_in_force = prepared(lambda: WordRule.objects.in_force().order_by("at", "pk"))
_upheld = prepared(
    lambda: RuleAnswer.objects.filter(
        is_upheld=True, objection__owner=Slot("owner", UUIDField())
    ).values_list("objection__digest", "at")
)


class Impossible(exclusion.Impossible):
    """An act on a rule or an objection that can't be done, with a sentence."""


class Changed(Impossible):
    """Somebody else was quicker."""


@dataclass(frozen=True)
class Hit:
    rule: WordRule
    place: str
    found: wording.Found

    @property
    def place_in_words(self) -> str:
        return str(Place(self.place).label)


# --- What is found ---------------------------------------------------------------------------------


def in_force() -> list[WordRule]:
    """One query, asked anew each time: a rule holds everywhere from the moment in which it is saved."""
    return list(_in_force())


def hits(texts: dict[str, str], rules: Iterable[WordRule]) -> list[Hit]:
    """Of each rule the first phrase in each place that it looks in. `texts` by Place."""
    read = {place: wording.Text(text) for place, text in texts.items() if text}
    return [
        Hit(rule, place, found)
        for rule in rules
        for place in rule.places
        if place in read and (found := wording.first_found(read[place], wording.phrases(rule.phrases)))
    ]


def blocking(owner_id, texts: dict[str, str], *, since=None) -> list[Hit]:
    """What keeps these words from going on now: nothing, if they pass. One query, and another where something is found.

    `since`: of rules made after that moment alone.
    """
    rules = [rule for rule in in_force() if rule.blocks and (since is None or rule.at > since)]
    found = hits(texts, rules)
    if not found:
        return []
    passes = dict(_upheld(owner=owner_id))
    return [hit for hit in found if not _passes(hit, texts[hit.place], passes)]


def _passes(hit: Hit, text: str, passes: dict) -> bool:
    upheld_at = passes.get(digest(text))
    return upheld_at is not None and hit.rule.at <= upheld_at


def digest(text: str) -> str:
    """The same for one text in all its spellings."""
    return sha256(wording.normal(text).encode()).hexdigest()


def words_of(prompt) -> dict[str, str]:
    """Of a recipe or a job."""
    return {Place.PROMPT: prompt.prompt, Place.NEGATIVE_PROMPT: prompt.negative_prompt}


def sentences(found: Iterable[Hit]) -> str:
    """What an artist reads, each sentence once. Which word it was isn't told: such a list would be one to go round."""
    told = dict.fromkeys(f"{hit.place_in_words}: {hit.rule.sentence}" for hit in found)
    return " ".join(told)


def note(found: Iterable[Hit], *, owner_id, job: UUID | None = None) -> None:
    """Keeps that rules stopped somebody, without their words."""
    RuleBlock.objects.bulk_create(
        RuleBlock(rule=hit.rule, owner_id=owner_id, place=hit.place, job=job) for hit in found
    )


def stop(job: Job) -> str:
    """The sentence for a take that a rule forbids which came after it was accepted; "" if it may begin."""
    found = blocking(job.owner_id, words_of(job), since=job.created_at)
    if not found:
        return ""
    note(found, owner_id=job.owner_id, job=job.pk)
    return f"{sentences(found)} {_('The rule came after you had asked for this take. It costs you nothing.')}"


# --- What admins do to rules -------------------------------------------------------------------------


@transaction.atomic
def save(
    *,
    by,
    name: str,
    phrases: str,
    looks_in: list[str],
    does: str,
    sentence: str = "",
    after: WordRule | None = None,
) -> WordRule:
    """A new rule, or with `after` the next version of that one; the same again is made once."""
    audit.lock()  # two admins at once queue up here
    exclusion.check_runs_program(by)
    told = {
        "name": name.strip(),
        "phrases": "\n".join(line.strip() for line in phrases.splitlines() if line.strip()),
        "looks_in": " ".join(place for place in Place.values if place in looks_in),
        "does": does,
        "sentence": sentence.strip() if does == Does.BLOCK else "",
    }
    if after is None:
        if same := WordRule.objects.in_force().filter(by=by, **told).first():
            return same
        if WordRule.objects.in_force().count() >= MOST_RULES:
            raise Impossible(
                _("There are %(most)s rules already. End one of them first.") % {"most": MOST_RULES}
            )
        made = WordRule.objects.create(by=by, **told)
    else:
        newest = WordRule.objects.newest().select_related("end").get(family=after.family)
        if newest.by_id == by.pk and all(getattr(newest, key) == value for key, value in told.items()):
            return newest
        _check_is_newest(after, newest)
        made = WordRule.objects.create(by=by, family=after.family, version=after.version + 1, **told)
    audit.record(f"rule.{'changed' if after else 'made'}", by=by, subject=made, words=made.name)
    return made


@transaction.atomic
def end(rule: WordRule, *, by) -> RuleEnd:
    """From now on nobody asks it; asked twice, it gives the same end."""
    audit.lock()
    exclusion.check_runs_program(by)
    newest = WordRule.objects.newest().select_related("end").get(family=rule.family)
    if newest.pk == rule.pk and hasattr(newest, "end"):
        return newest.end
    _check_is_newest(rule, newest)
    made = RuleEnd.objects.create(rule=rule, by=by)
    audit.record("rule.ended", by=by, subject=rule, words=rule.name)
    return made


def _check_is_newest(rule: WordRule, newest: WordRule) -> None:
    if hasattr(newest, "end"):
        raise Changed(_("This rule has ended meanwhile. Make a new one, if you need it."))
    if newest.pk != rule.pk:
        raise Changed(_("Somebody has saved another version of this rule meanwhile. Look at it first."))


@transaction.atomic
def try_on_recent(phrases: str, looks_in: list[str], *, by) -> tuple[list[wording.Found], int]:
    """What the phrases would find in the latest prompts, and how many of them there were.

    Leaves a trace in the audit log: it shows an admin some words of prompts that are otherwise their artists' alone,
    but not whose they are.
    """
    exclusion.check_runs_program(by)
    compiled = wording.phrases(phrases)
    latest = Job.objects.order_by("-created_at").values_list("prompt", "negative_prompt")[:RECENT]
    pairs = dict.fromkeys(latest)  # several takes of one click have one prompt
    found = []
    for prompt, negative in pairs:
        texts = [prompt] if Place.PROMPT in looks_in else []
        texts += [negative] if Place.NEGATIVE_PROMPT in looks_in else []
        found += filter(None, (wording.first_found(wording.Text(text), compiled) for text in texts))
    audit.record("rule.tried", by=by, subject=by, words=f"{len(found)} of {len(pairs)}")
    return found, len(pairs)


def caught(rules: Iterable[WordRule]) -> dict[UUID, tuple]:
    """By family: how often its versions stopped somebody, and when last; in one query."""
    stopped = RuleBlock.objects.filter(rule__family__in=[rule.family for rule in rules])
    rows = stopped.values_list("rule__family").annotate(count=Count("pk"), last=Max("at")).order_by()
    return {family: (count, last) for family, count, last in rows}


# --- What artists object, and what admins answer ------------------------------------------------------


@transaction.atomic
def object_to(owner, texts: dict[str, str], *, text: str) -> list[RuleObjection]:
    """An objection for each of the texts that is blocked now. The same again is made once: the first words stay.

    Raises Impossible if nothing is blocked, and if it was answered already.
    """
    if exclusion.kept_out().filter(user=owner.pk).exists():
        raise Impossible(_("Your membership is suspended or has ended."))
    found = blocking(owner.pk, texts)
    if not found:
        raise Impossible(_("No rule stands against these words any more. Just send them again."))
    made = []
    for hit in {hit.place: hit for hit in reversed(found)}.values():
        words = texts[hit.place]
        objection, is_new = RuleObjection.objects.get_or_create(
            owner=owner,
            rule=hit.rule,
            digest=digest(words),
            defaults={"place": hit.place, "words": words.strip(), "text": text.strip()},
        )
        if is_new:
            audit.record("rule.objected", by=owner, subject=objection)
            _tell_admins()
        made.append(objection)
    return made


def _tell_admins() -> None:
    """One unread line in each inbox is enough, however many objections there are."""
    path = reverse("rule_answering")
    unread = Notice.objects.filter(kind=Notice.Kind.RULE_OBJECTION, path=path, read_at=None).values("user")
    for member in exclusion.admins().exclude(user__in=unread).select_related("user"):
        notify(member.user, Notice.Kind.RULE_OBJECTION, path)


@transaction.atomic
def answer(objection: RuleObjection, *, by, is_upheld: bool, text: str) -> RuleAnswer:
    """Once; another admin's answer is not written over."""
    audit.lock()
    exclusion.check_runs_program(by)
    if objection.owner_id == by.pk:
        raise Impossible(_("Nobody answers their own objection. Ask another admin."))
    told = {"is_upheld": is_upheld, "text": text.strip()}
    made, is_new = RuleAnswer.objects.get_or_create(objection=objection, defaults={"by": by, **told})
    if is_new:
        audit.record(f"rule.{'upheld' if is_upheld else 'answered'}", by=by, subject=objection)
        notify(objection.owner, Notice.Kind.OBJECTION_ANSWERED, reverse("rule_objections"))
    elif (made.by_id, made.is_upheld, made.text) != (by.pk, is_upheld, told["text"]):
        raise Changed(_("This objection was answered already. What you wrote now was not sent."))
    return made
