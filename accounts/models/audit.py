"""What people did, as a chain of entries of which none can be changed unseen.

Each entry carries the hash of the one before it. What may have to be erased (words with personal data) is not
hashed directly: the chain covers a salted digest of it, so erasing the words and the salt leaves the chain whole.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.db import models, transaction
from django.db.models import Max
from django.utils import timezone

GENESIS = "0" * 64


class AuditHead(models.Model):
    """The one row that writers of the chain queue up for; locked last of all rows in an act."""

    sequence = models.BigIntegerField(default=0)
    entry_hash = models.CharField(max_length=64, default=GENESIS)


class AuditEntry(models.Model):
    sequence = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    act = models.CharField(max_length=64)
    subject = models.CharField(max_length=80)
    words = models.TextField(blank=True)
    salt = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    entry_hash = models.CharField(max_length=64, unique=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["sequence"]
        indexes = [
            models.Index(fields=["act", "-sequence"], name="audit_newest_of_act"),
            models.Index(fields=["subject", "-sequence"], name="audit_newest_of_subject"),
        ]

    def __str__(self):
        return f"{self.sequence} {self.act} {self.subject}"


def record(act: str, *, by, subject: models.Model, words: str = "") -> AuditEntry:
    """Adds an entry in the transaction of the act itself: no act without its trace, no trace without its act."""
    return record_all(act, by=by, told=[(subject, words)])[0]


@transaction.atomic
def record_all(act: str, *, by, told: Iterable[tuple[models.Model, str]]) -> list[AuditEntry]:
    """Adds an entry for each subject and its words: thousands of acts of one kind, at the cost of a few queries."""
    head = lock()
    entries = []
    for subject, words in told:
        salt = secrets.token_hex(16)
        entry = AuditEntry(
            sequence=head.sequence + 1,
            at=timezone.now(),
            by=by,
            act=act,
            subject=name_of(subject),
            words=words,
            salt=salt,
            digest=_digest(salt, words),
            previous_hash=head.entry_hash,
        )
        entry.entry_hash = _entry_hash(entry)
        entries.append(entry)
        head.sequence, head.entry_hash = entry.sequence, entry.entry_hash
    AuditEntry.objects.bulk_create(entries)
    AuditHead.objects.filter(pk=head.pk).update(sequence=head.sequence, entry_hash=head.entry_hash)
    return entries


def name_of(subject: models.Model) -> str:
    return f"{subject._meta.model_name}:{subject.pk}"


def lock() -> AuditHead:
    """Makes acts that must not meet queue up for the chain's head; inside a transaction only."""
    return AuditHead.objects.select_for_update().get_or_create(pk=1)[0]


def broken_entries() -> Iterator[tuple[int, str]]:
    """Walks the chain and yields (sequence, what is wrong) for each entry that was touched.

    Entries written meanwhile are left to the next walk: the head is read first.
    """
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()
    previous, expected = GENESIS, 1
    for entry in AuditEntry.objects.filter(sequence__lte=head.sequence).order_by("sequence").iterator():
        if entry.sequence != expected:
            yield expected, "is missing"
        elif entry.previous_hash != previous:
            yield entry.sequence, "doesn't follow the entry before it"
        elif entry.entry_hash != _entry_hash(entry):
            yield entry.sequence, "was changed"
        elif entry.erased_at and (entry.words or entry.salt):
            yield entry.sequence, "has words although it says that they were erased"
        elif not entry.erased_at and entry.digest != _digest(entry.salt, entry.words):
            yield entry.sequence, "has other words than were written"
        previous, expected = entry.entry_hash, entry.sequence + 1
    if (head.sequence, head.entry_hash) != (expected - 1, previous):
        yield expected, "is missing at the end of the chain"
    # Read last, a head is never behind an entry that was written in the same transaction.
    latest = AuditEntry.objects.aggregate(latest=Max("sequence"))["latest"] or 0
    if latest > (AuditHead.objects.filter(pk=1).first() or AuditHead()).sequence:
        yield latest, "was slipped in at the end of the chain"


def _digest(salt: str, words: str) -> str:
    return hashlib.sha256(f"{salt}:{words}".encode()).hexdigest()


def _entry_hash(entry: AuditEntry) -> str:
    told = [
        entry.sequence,
        entry.at.isoformat(timespec="microseconds"),
        str(entry.by_id or ""),
        entry.act,
        entry.subject,
        entry.digest,
        entry.previous_hash,
    ]
    return hashlib.sha256(json.dumps(told, separators=(",", ":")).encode()).hexdigest()
