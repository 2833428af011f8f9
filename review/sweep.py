"""Compares rows and files both ways: no file stays without a row, and no live publication without its files."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from generation import storage
from generation.models import Picture, Rendition

from . import gate, journal, searching
from .models import WITH_FILES, Publication, PublicFile, StaffCopy

log = logging.getLogger(__name__)

GRACE = 3600.0  # seconds that a file may lie without its row: files come first, rows second
BATCH = 500


@dataclass(frozen=True)
class Swept:
    orphans: int  # files deleted because no row names them
    mended: int  # live publications whose files were put back
    missing: int  # private files that a row names and that are not there
    broken: int = 0  # live publications whose files could not be put back
    unjournaled: int = 0  # acts that the journal doesn't have, and should


def sweep(*, grace: float = GRACE, reread: bool = False) -> Swept:
    """`reread` also reads every public file again and compares its sha256: thorough, and slow where there are many."""
    mended = mend(reread=reread)
    if unsaid := searching.catch_up():
        log.error("the words of %s publications were not as they should be", unsaid)
    swept = Swept(
        orphans=_delete(storage.private(), _private_orphans(grace), grace)
        + _delete(storage.public(), _public_orphans(grace), grace),
        mended=mended.count(True),
        broken=mended.count(False),
        unjournaled=journal.catch_up(),
        missing=sum(1 for _ in _missing_files()),
    )
    if any((swept.orphans, swept.mended, swept.missing, swept.broken, swept.unjournaled)):
        log.warning("sweep: %s", swept)
    return swept


def mend(*, reread: bool = False) -> list[bool]:
    """Puts back what live publications miss; for each of those, whether that went well."""
    return [gate.put_files_in_place(publication) for publication in list(_bare_publications(reread=reread))]


def _delete(store: storage.Store, names: Iterable[str], grace: float) -> int:
    return sum(store.delete(name, older_than=grace) for name in names)


def batched(items: Iterable[str], size: int) -> Iterator[list[str]]:
    """itertools.batched, which Python 3.11 doesn't have yet."""
    items = iter(items)
    while batch := list(islice(items, size)):
        yield batch


def _private_orphans(grace: float) -> Iterator[str]:
    for names in batched(storage.private().names(older_than=grace), BATCH):
        digests = {name: name.rpartition("/")[2] for name in names}
        known = set()
        for rows in (*WITH_FILES, StaffCopy):
            known |= set(rows.objects.filter(sha256__in=digests.values()).values_list("sha256", flat=True))
        yield from (name for name in names if digests[name] not in known)


def _public_orphans(grace: float) -> Iterator[str]:
    for names in batched(storage.public().names(older_than=grace), BATCH):
        slugs = {name: name.partition("/")[0] for name in names}
        live = set(Publication.objects.live().filter(slug__in=slugs.values()).values_list("slug", flat=True))
        yield from (name for name in names if slugs[name] not in live)


def _bare_publications(*, reread: bool) -> Iterator[Publication]:
    """Live publications of which a public file is missing, cut short or, on rereading, another one."""
    live = Publication.objects.live().select_related("approval__submission")
    sizes = storage.public().sizes()  # one listing; asking a bucket for each file would take all day
    for publication in live.iterator(chunk_size=BATCH):
        if reread:
            _delete_others(publication)
        elif _is_whole(publication, sizes):
            continue
        if not gate.has_its_files(publication):  # it may have got them since the listing
            yield publication


def _is_whole(publication: Publication, sizes: dict[str, int]) -> bool:
    files = publication.submission.work["files"].items()
    return all(sizes.get(publication.file_name(kind)) == file["size"] for kind, file in files)


def _delete_others(publication: Publication) -> None:
    """Deletes public files whose bytes are not the approved ones."""
    public = storage.public()
    for kind, file in publication.submission.work["files"].items():
        name = publication.file_name(kind)
        if public.holds(name, size=file["size"]) and public.digest(name) != file["sha256"]:
            log.error("a public file of publication %s was not the approved one", publication.pk)
            public.delete(name)


def _missing_files() -> Iterator[str]:
    there = storage.private().sizes()
    named = (rows.objects.values_list("sha256", flat=True) for rows in (Picture, Rendition, PublicFile))
    for sha256 in next(named).union(*named).iterator(chunk_size=BATCH):  # a staff copy can be made again
        name = storage.private_name(sha256)
        if name not in there and not _is_there(name):  # it may have come since the listing
            log.error("the private file %s… is missing", sha256[:8])
            yield sha256


def _is_there(name: str) -> bool:
    try:
        return storage.private().size(name) >= 0
    except FileNotFoundError:
        return False
