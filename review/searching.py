"""Finds publications by words, however many there are: wherever in a text, and in capitals or not.

Three looks in one question. The first goes through the newest DEEP works one by one, which finds what is common. If
that doesn't fill a page but has found some, the second goes on to DEEPER. And if that is still too little, the third
finds all that have these words, on PostgreSQL by their trigrams: they are few, then. Left to itself, the database
would choose by guessing how common a word is, and it guesses badly.
"""

import json
import unicodedata

from django.db import connection
from django.db.models import Exists, OuterRef
from django.db.models.expressions import RawSQL

from .models import Publication, Words

MOST = 8  # words of a search; what follows would only cost
DEEP, DEEPER = 2000, 40_000  # works
SOME = 3  # works that the first look has found, after which the second pays
TRIGRAM = 3  # letters; where all words are shorter, only the newest works are searched: no index would be of any help
BATCH = 1000

NEWEST = r"""
WITH newest AS MATERIALIZED (
    SELECT publication_id, published_at FROM (
        SELECT * FROM review_words WHERE {older} ORDER BY published_at DESC, publication_id DESC LIMIT {deep}
    ) AS latest WHERE {matches} ORDER BY published_at DESC, publication_id DESC LIMIT {many}
), later AS MATERIALIZED (
    SELECT publication_id, published_at FROM (
        SELECT * FROM review_words WHERE {older} ORDER BY published_at DESC, publication_id DESC LIMIT {deeper}
    ) AS latest WHERE {matches} AND (SELECT count(*) FROM newest) BETWEEN {some} AND {many} - 1
    ORDER BY published_at DESC, publication_id DESC LIMIT {many}
)
SELECT publication_id FROM newest UNION SELECT publication_id FROM later
"""
REST = r"""
UNION SELECT * FROM (
    SELECT publication_id FROM (
        SELECT publication_id, published_at FROM review_words WHERE {matches} LIMIT 1000000000
    ) AS every WHERE {older}
        AND (SELECT max(many) FROM (SELECT count(*) AS many FROM newest UNION SELECT count(*) FROM later) c) < {many}
    ORDER BY published_at DESC, publication_id DESC LIMIT {many}
) AS others
"""


def found(words: str, *, older_than: Publication | None = None, many: int) -> RawSQL:
    """Ids of at least the newest `many` publications with all these words, for a filter."""
    asked = _asked(words)
    matches, patterns = _matching(asked)
    older, key = "TRUE", ()
    if older_than:
        older = "(published_at, publication_id) < (%s, %s)"
        field = Words._meta.get_field
        key = tuple(
            field(name).get_db_prep_value(getattr(older_than, own), connection)
            for name, own in (("published_at", "published_at"), ("publication", "pk"))
        )
    told = {"older": older, "matches": matches, "many": many, "deep": DEEP, "deeper": DEEPER, "some": SOME}
    first = (*key, *patterns) * 2
    if max(map(len, asked), default=0) < TRIGRAM:
        return RawSQL(NEWEST.format(**told), first)
    return RawSQL((NEWEST + REST).format(**told), (*first, *patterns, *key))


def _asked(words: str) -> list[str]:
    return list(dict.fromkeys(_folded(words).split()))[:MOST]


def _matching(asked: list[str]) -> tuple[str, tuple[str, ...]]:
    for sign in "\\%_":
        asked = [word.replace(sign, f"\\{sign}") for word in asked]
    return " AND ".join([r"said LIKE %s ESCAPE '\'"] * len(asked)) or "TRUE", tuple(
        f"%{word}%" for word in asked
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def said(content: str) -> str:
    """All of a frozen text that was written or chosen by people, and nothing else of it."""
    work = json.loads(content)
    prompt = (work["recipe"] or {}).get("prompt", "")
    # PostgreSQL takes no NUL, and JSON can spell one.
    return _folded("\n".join((work["title"], work["statement"], work["credit"], prompt))).replace("\0", "")


def note(publication: Publication, content: str) -> None:
    """In the transaction that makes it public."""
    Words.objects.create(publication=publication, published_at=publication.published_at, said=said(content))


def forget(publication: Publication) -> None:
    """In the transaction that ends it."""
    Words.objects.filter(publication=publication).delete()


def catch_up() -> int:
    """Makes what is missing, and takes away what is over; returns how much that was. Nothing is, unless somebody wrote

    publications past review.gate.
    """
    live = Publication.objects.live()
    over = Words.objects.filter(~Exists(live.filter(pk=OuterRef("publication")))).delete()[0]
    missing = live.with_content().filter(~Exists(Words.objects.filter(publication=OuterRef("pk"))))
    made = 0
    for each in missing.iterator(chunk_size=BATCH):
        words = Words(publication=each, published_at=each.published_at, said=said(each.content))
        made += Words.objects.bulk_create([words], ignore_conflicts=True) and 1
    return over + made
