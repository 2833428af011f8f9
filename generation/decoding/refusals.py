"""Why an upload isn't decoded: a number between child and parent, a sentence for people."""

from enum import IntEnum

_ = str  # marks the sentences for translators; whoever shows one to a person translates it


class Why(IntEnum):
    UNREADABLE = 1
    FORMAT = 2
    MOVING = 3
    BYTES = 4
    PIXELS = 5
    CODEC = 6
    EMPTY = 7
    LONG = 8
    NO_FILE = 9
    NO_WALLS = 10


SENTENCES = {
    Why.UNREADABLE: _("This file is damaged, or isn’t what its name says."),
    Why.FORMAT: _("This isn’t a JPEG, PNG or WebP picture. Save it as one of these, and try again."),
    Why.MOVING: _("This picture moves. Choose a still one."),
    Why.BYTES: _("This file is larger than what is read here."),
    Why.PIXELS: _("This file has more pixels than what is read here. Make it smaller, and try again."),
    Why.CODEC: _("Only MP4 files with H.264 or AV1 video are read here."),
    Why.EMPTY: _("This file shows nothing."),
    Why.LONG: _("Reading this file took too long, so it was given up."),
    Why.NO_FILE: _("This isn’t a file that can be read."),
    Why.NO_WALLS: _("This server has no safe place to open files from outside, so it doesn’t open them."),
}


class Refused(Exception):
    """The upload isn't decoded. `why` is for code, `sentence` for people, `detail` for the operator."""

    def __init__(self, why: Why, detail: str = ""):
        super().__init__(f"{why.name}: {detail}")
        self.why = why
        self.sentence = SENTENCES[why]
        self.detail = detail
