"""How much of an upload is read, by both sides of the pipe, and how they talk over it."""

import struct
from enum import IntEnum

FORMATS = ("JPEG", "PNG", "WEBP")
PICTURE_BYTES = 30 * 1024**2
PICTURE_PIXELS = 40_000_000  # as the header says, before anything is decoded
LONGEST_PICTURE = 2048  # pixels on the longer side of what comes out

DEMUXER = "mov"
CODECS = ("h264", "libdav1d", "av1")  # the decoders of H.264 and AV1, by FFmpeg's names
VIDEO_BYTES = 100 * 1024**2
VIDEO_PIXELS = 4096 * 2304  # of one frame, as the header says
LONGEST_FRAME = 1920  # pixels on the longer side of what comes out
MOST_FRAMES = 400  # the program's clips are shorter

BYTES = {"picture": PICTURE_BYTES, "frames": VIDEO_BYTES, "film": VIDEO_BYTES, "nothing": VIDEO_BYTES}
SECONDS = {"picture": 20, "frames": 40, "film": 40, "nothing": 20}  # of computing, and of waiting for it
MEMORY = 2 * 1024**3  # bytes of address space, of which the libraries take 400 MB
SLACK = 4  # the child ends itself after so many times its seconds, should nobody do it

BUFFER = 64 * 1024  # bytes that the demuxer asks for at once
MANIFEST_BYTES = 8192  # of JSON, as the child tells it
ANCHORS = "ANCHORS"  # the variable in which a child that reads manifests is told whom to trust
HEAD = struct.Struct("<BII")  # a kind and two numbers, in each message of the child


class Kind(IntEnum):
    WALLS = 1  # which of them stand, as bits
    PIXELS = 2  # width, height; then width * height * 3 bytes
    REFUSED = 3  # a Why
    DONE = 4
    MANIFEST = 5  # how many bytes; then so many of JSON
