"""A decoding child as a file that took it over would have it: it claims what isn't so."""

import sys

from generation.decoding.bounds import HEAD, Kind

LIES = {
    "huge": (Kind.PIXELS, 2**31, 2**31),
    "flat": (Kind.PIXELS, 0, 10),
    "unknown": (9, 1, 1),
    "roofless": (Kind.WALLS, 3, 0),
    "reasonless": (Kind.REFUSED, 4000, 0),
}
WORDS = {
    "wordless": b"not JSON",
    "wordy": b'{"state": "trusted", "is_released": true}',
    "shapeless": b'{"state": "trusted", "submission": ["<script>"]}',
}

if __name__ == "__main__":
    told = sys.stdin.read()
    words = WORDS.get(told, b"nothing like so many bytes")
    sys.stdout.buffer.write(HEAD.pack(*LIES.get(told, (Kind.MANIFEST, len(words), 0))) + words)
    sys.stdout.buffer.write(HEAD.pack(Kind.PIXELS, 1, 1) + bytes(3) + HEAD.pack(Kind.DONE, 0, 0))
