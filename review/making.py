"""The desk worker's side: takes up what waits to be made, shows that it lives, and ends each try well."""

import logging
import shutil
import time
from pathlib import Path

from django.utils.translation import gettext as _

from accounts import trail
from generation import storage
from generation.engine import EngineError
from generation.provenance import ProvenanceError

from . import copying, leases, preparing
from .models import Preparation
from .models.making import Making

log = logging.getLogger(__name__)

RENEW_EVERY = 1.0  # seconds between two signs of life
SCRATCH_PREFIX = "making-"
LEFT_BEHIND = 3600  # seconds after which a folder is one that a killed worker left


def work() -> int:
    """Makes what waits until nothing does; returns how many it took on."""
    taken = 0
    _clear_scratch()
    while (found := leases.claim_next()) is not None:
        taken += 1
        with trail.following(
            request=found.request_id, user=found.submission.artist_id, submission=found.submission_id
        ):
            carry_out(found)
    return taken


def carry_out(found: Making) -> None:
    """Ends the try in every case: with files, with a sentence, or by leaving it to whoever took it over."""
    kind = type(found).__name__
    folder = storage.scratch() / f"{SCRATCH_PREFIX}{kind.lower()}-{found.pk}-{found.token}"
    make = preparing.prepare if isinstance(found, Preparation) else copying.make
    log.info("%s begins, try %s", kind, found.tries)
    try:
        folder.mkdir(parents=True)
        make(found, folder, beat=_heart(found))
        log.info("%s is made", kind)
    except leases.Lost:
        log.info("%s is over; its work was stopped", kind)
    except preparing.Changed:
        log.info("%s begins anew: what its files say has changed meanwhile", kind)
        leases.put_off(found)
    except (storage.Damaged, FileNotFoundError) as error:
        log.error("%s failed: a stored file is damaged or missing", kind)
        leases.give_up(found, retry=False, sentence=_damaged(), detail=str(error))
    except (EngineError, ProvenanceError) as error:
        log.error("%s failed: %s", kind, error.sentence)
        retry = getattr(error, "retry", True)  # a key that can't be used is for operators to mend
        leases.give_up(found, retry=retry, sentence=_(error.sentence), detail=error.detail or error.sentence)
    except OSError as error:
        log.error("%s is put off: the store or the disk says %s", kind, type(error).__name__)
        leases.put_off(found)
    except Exception as error:  # whatever it was, nobody must wait for the lease to lapse
        log.exception("%s failed", kind)
        leases.give_up(found, retry=True, detail=type(error).__name__)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _heart(found: Making):
    """A function to be called often, which renews the lease about once a second."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last >= RENEW_EVERY:
            leases.renew(found)
            last = time.monotonic()

    return beat


def _damaged() -> str:
    return _("A stored file of this clip is damaged or missing. Withdraw this, and generate the take again.")


def _clear_scratch() -> None:
    """Removes what workers left behind that were killed on this machine: nobody else would find it."""
    for folder in storage.scratch().glob(f"{SCRATCH_PREFIX}*"):
        if _age(folder) > LEFT_BEHIND:
            shutil.rmtree(folder, ignore_errors=True)


def _age(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except FileNotFoundError:
        return 0.0
