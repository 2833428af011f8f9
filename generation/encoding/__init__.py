"""Turns frames into the files that people watch and reads them back; what the frames show and where files are kept is
decided elsewhere."""

from .encoder import NOT_ENCODED, can_av1
from .files import DISK_FULL, NOT_WRITABLE, EncodingError, check_writable, keep_for_good
from .stills import poster, sprite, strip, with_stills
from .video import UNREADABLE, Encoded, decode, encode, probe

__all__ = [
    "DISK_FULL",
    "NOT_ENCODED",
    "NOT_WRITABLE",
    "UNREADABLE",
    "Encoded",
    "EncodingError",
    "can_av1",
    "check_writable",
    "decode",
    "encode",
    "keep_for_good",
    "poster",
    "probe",
    "sprite",
    "strip",
    "with_stills",
]
