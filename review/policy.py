"""Which version of the policy holds, and how an admin makes another: what reviewers cite, and what /policy/ shows.

Decisions keep a clause's code for ever, together with the version's name, so what a decision cites can't change. The
numbers count a code over all versions, so a code should not change its meaning either: wording may be made clearer in a
new version, which shows the difference; another rule gets another code. A code that was retired can come back only in
the words in which it left: so it is never reused for something else.
"""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import audit
from accounts.permissions import can_run_program
from accounts.prepared import prepared

from .clauses import FIRST, MOST, Clause, Policy
from .models.policy import PolicyClause, PolicyVersion, named, whole
from .permissions import Conflict, NotAllowed, check_still_in

HISTORY = 50  # versions that a page lists; each leads to the one before it

# Asked anew by every page and act that needs it, so that it is right at once in every process: one query.
_latest = prepared(
    lambda: (
        PolicyClause.objects.filter(version=PolicyVersion.objects.order_by("-number").values("pk")[:1])
        .select_related("version")
        .order_by("place")
    )
)


class Changed(Conflict):
    """Another version holds than the one that a page showed."""


class Unusable(NotAllowed):
    """A text that can't become a version, with the reason in a sentence."""


def current() -> Policy:
    rows = list(_latest())
    return whole(rows) if rows else FIRST


def clauses(codes: list[str], *, version: str | None = None) -> list[Clause]:
    """The clauses with these codes, in the policy's own order; unknown codes are left out."""
    policy = named(version) if version else current()
    return policy.clauses_of(codes) if policy else []


def check_cited(codes: Sequence[str], *, shown: str | None) -> Policy:
    """The version that holds, for a decision that cites these codes from a page that showed the version `shown`."""
    policy = current()
    if shown and shown != policy.name:
        raise Changed(
            _(
                "The policy has changed since this page was opened: version %(name)s holds now. Nothing was recorded."
            )
            % {"name": policy.name}
        )
    if unknown := sorted(set(codes) - policy.codes):
        raise NotAllowed(
            _("Version %(name)s of the policy has no clause “%(code)s”.")
            % {"name": policy.name, "code": unknown[0]}
        )
    return policy


def history() -> list[PolicyVersion]:
    """What admins saved, newest first. The first version, which has no row, comes after them."""
    return list(PolicyVersion.objects.order_by("-number")[:HISTORY])


def before(policy: Policy) -> Policy | None:
    """The version that this one replaced; the first replaced none."""
    if policy.number == FIRST.number:
        return None
    rows = PolicyClause.objects.filter(version=policy.number - 1).select_related("version").order_by("place")
    return whole(list(rows)) if rows else FIRST


def save(written: Sequence[Clause], *, shown: str, summary: str, by) -> Policy:
    """Makes a new version of these clauses, if the version `shown` still holds; sent twice, it is made once.

    Raises Changed if somebody else was quicker, and Unusable if it can't be a version.
    """
    if not can_run_program(by):
        raise NotAllowed(_("The program's pages are for admins."))
    written = tuple(written)
    with transaction.atomic():
        audit.lock()  # two admins at once queue up here
        check_still_in(by)
        now = current()
        if now.clauses == written and now.name != shown and now.by_id == by.pk and now.summary == summary:
            return now  # a double click, or the back button
        if now.name != shown:
            raise Changed(
                _("Somebody has saved version %(name)s while you were writing. Your text is still here.")
                % {"name": now.name}
            )
        _check_usable(written, now)
        at = timezone.now()
        version = PolicyVersion(number=now.number + 1, name=_free_name(at), summary=summary, by=by, at=at)
        PolicyClause.objects.bulk_create(
            PolicyClause(
                version=version, place=place, code=each.code, title=each.saved_title, text=each.saved_text
            )
            for place, each in enumerate(written, 1)
        )
        version.save(force_insert=True)
        audit.record("policy.changed", by=by, subject=version)
    return Policy(version.name, written, version.number, at, summary, by.pk)


def _check_usable(written: tuple[Clause, ...], now: Policy) -> None:
    if not written:
        raise Unusable(_("A policy needs at least one clause: without any, nothing could be refused."))
    if len(written) > MOST:
        raise Unusable(_("A policy has at most %(most)s clauses.") % {"most": MOST})
    codes = [each.code for each in written]
    if twice := next((code for code in codes if codes.count(code) > 1), None):
        raise Unusable(_("Two clauses have the code “%(code)s”. Give one of them another.") % {"code": twice})
    if written == now.clauses:
        raise Unusable(_("Nothing is different from version %(name)s.") % {"name": now.name})
    last = _last_words(set(codes) - now.codes)
    for each in written:
        if each.code in last and each != last[each.code]:
            raise Unusable(
                _(
                    "The code “%(code)s” was retired, and decisions cite it. It comes back only in its old words"
                    " (“%(title)s: %(text)s”); a new clause needs a new code."
                )
                % {
                    "code": each.code,
                    "title": last[each.code].saved_title,
                    "text": last[each.code].saved_text,
                }
            )


def _last_words(codes: set[str]) -> dict[str, Clause]:
    """By code, the clause as it was when it was retired, for those that were."""
    if not codes:
        return {}
    newest = (
        PolicyClause.objects.filter(code__in=codes).values("code").annotate(last=Max("pk")).values("last")
    )
    found = {clause.code: clause for clause in FIRST.clauses_of(codes)}
    return found | {
        row.code: Clause(row.code, row.title, row.text) for row in PolicyClause.objects.filter(pk__in=newest)
    }


def _free_name(at) -> str:
    """The month, and from the second version in a month on a number: 2026-12, 2026-12-2."""
    month = f"{at:%Y-%m}"
    taken = set(PolicyVersion.objects.filter(name__startswith=month).values_list("name", flat=True)) | {
        FIRST.name
    }
    number = 1
    while (name := month if number == 1 else f"{month}-{number}") in taken:
        number += 1
    return name
