"""What must outlast the database: acts that ended something, journaled outside of it and replayed after a restore.

Each act is one small file in a store of its own (SORAHUB_JOURNAL_URL): whole and fsynced, or not there. It holds
ids and times, and no word that a person wrote; its name says what was ended, so that a damaged one is understood.
"""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.conf import settings

from accounts.models import AuditEntry, Membership
from generation import storage

from .models import Publication

log = logging.getLogger(__name__)

TAKEN_DOWN = "publication.taken_down"
SUSPENDED, LIFTED, ENDED = "member.suspended", "member.suspension_lifted", "member.ended"
ROLE_CHANGED, REVOKED = "member.role_changed", "invitation.revoked"
CONSENT_REVOKED, CALLED_OFF = "consent.revoked", "schedule.called_off"
ACTS = (TAKEN_DOWN, SUSPENDED, LIFTED, ENDED, ROLE_CHANGED, REVOKED, CONSENT_REVOKED, CALLED_OFF)
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Act:
    act: str
    subject: str  # the id of whatever was ended: never one that is given out again
    entry: str  # the hash of the audit entry
    at: datetime = BEGINNING
    told: dict = field(default_factory=dict)  # {} if the file was damaged

    @property
    def by(self) -> str | None:
        return self.told.get("by") or None


def store() -> storage.Store:
    return storage.store_at(settings.JOURNAL)


def write(entry: AuditEntry) -> bool:
    """Journals an act. False if that failed: the act holds, and the sweep tries again."""
    try:
        told = _told(entry)
        _put(f"{entry.act}/{told['subject']}/{entry.entry_hash}", told)
    except (OSError, storage.Damaged):
        log.exception("audit entry %s could not be journaled", entry.sequence)
        return False
    return True


def catch_up() -> int:
    """Journals every act that isn't there yet; returns how many could not be."""
    entries = AuditEntry.objects.filter(act__in=ACTS).order_by("sequence")
    try:
        there = {name.rpartition("/")[2] for name in store().names()}
    except OSError:
        log.exception("the journal doesn't answer")
        return entries.count()
    return sum(not write(entry) for entry in entries.iterator() if entry.entry_hash not in there)


def read() -> list[Act]:
    """All acts, the earliest first."""
    return sorted(_read(), key=lambda act: (act.at, act.entry))


def note_backup(name: str) -> None:
    """Leaves a trace by which a restore knows that this is the journal of the house that made the backup."""
    _put(f"backups/{name}", {"backup": name})


def knows_backup(name: str) -> bool:
    try:
        return store().size(f"backups/{name}") > 0
    except FileNotFoundError:
        return False


def _read() -> Iterator[Act]:
    for name in store().names():
        act, _, rest = name.partition("/")
        subject, _, entry = rest.partition("/")
        if act not in ACTS:
            continue
        try:
            told = json.loads(b"".join(store().blocks(name)))
            yield Act(act, subject, entry, datetime.fromisoformat(told["at"]), told)
        except (ValueError, KeyError, TypeError):
            log.error("the journal's file %s is damaged; its name tells what was ended", name)
            yield Act(act, subject, entry)


def _told(entry: AuditEntry) -> dict:
    kind, _, pk = entry.subject.partition(":")
    told = {"at": entry.at.isoformat(), "by": str(entry.by_id or ""), "subject": pk}
    if kind == "publication":
        slug, content_hash = Publication.objects.values_list("slug", "content_hash").get(pk=pk)
        told |= {"slug": slug, "content_hash": content_hash}
    if kind == "membership":  # numbered, and a restored database gives numbers out again
        told["subject"] = str(Membership.objects.values_list("user", flat=True).get(pk=pk))
    return told


def _put(name: str, told: dict) -> None:
    content = json.dumps(told, sort_keys=True).encode()
    store().write(name, [content], sha256=hashlib.sha256(content).hexdigest())
