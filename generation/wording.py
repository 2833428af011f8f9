"""Finds words in words: phrases with wildcards, in a text of whatever case, accents, spacing and look-alike letters.

No regular expression is made of what an admin types. A text becomes words, a phrase becomes words, and the search goes
from word to word with a bounded number of steps, so no phrase and no prompt can make it slow.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

MOST_PHRASES = 200  # of one rule
PHRASE_LENGTH = 80  # characters
MOST_WORDS = 8  # of one phrase
MOST_STARS = 2  # in one word
GAP = 3  # words that a lone * may stand for
READ = 8000  # characters of a text: more than any field takes

# Letters of other scripts and signs that are read as a Latin letter: only where the eye can't tell them apart.
_ALIKE = str.maketrans(
    dict(
        zip(
            "авекмнорстухіїјѕԁɡһӏαβεικνορτυχωłøđıßæœ",
            (
                *(
                    "a",
                    "b",
                    "e",
                    "k",
                    "m",
                    "h",
                    "o",
                    "p",
                    "c",
                    "t",
                    "y",
                    "x",
                    "i",
                    "i",
                    "j",
                    "s",
                    "d",
                    "g",
                    "h",
                ),
                *(
                    "l",
                    "a",
                    "b",
                    "e",
                    "i",
                    "k",
                    "v",
                    "o",
                    "p",
                    "t",
                    "u",
                    "x",
                    "w",
                    "l",
                    "o",
                    "d",
                    "i",
                    "ss",
                    "ae",
                ),
                "oe",
            ),
            strict=True,
        )
    )
)
_SIGNS = str.maketrans("013457@$€", "oieastase")  # inside of a word alone: 4k stays 4k
_WORD = re.compile(r"[^\W_]+|[@$€](?=[^\W_])|(?<=[^\W_])[@$€]|\*")
_INSIDE = re.compile(r"(?<=[^\W\d_])[013457@$€]+(?=[^\W\d_])")
_GLUED = re.compile(r"(?<=[^\W_])[\-'’._*|~^](?=[^\W_])")


class BadPhrase(ValueError):
    """A phrase that can't be searched for, with the reason in a sentence."""


@dataclass(frozen=True)
class Found:
    phrase: str  # as the rule has it
    words: str  # as they were read in the text
    excerpt: str = ""  # with a few words before and after them


def folded(text: str) -> str:
    """One spelling of letters: small, without accents and invisible signs, look-alikes told as what they look like."""
    text = unicodedata.normalize("NFKD", text[:READ])
    kept = "".join(letter for letter in text if unicodedata.category(letter) not in ("Mn", "Cf", "Me"))
    return kept.casefold().translate(_ALIKE)


def normal(text: str) -> str:
    """The words of a text, in order, with one space between them: what two spellings of one text have in common."""
    return " ".join(_words(folded(text)))


def _words(folded_text: str) -> list[str]:
    text = _INSIDE.sub(lambda found: found[0].translate(_SIGNS), folded_text)
    return [word for word in _WORD.findall(text) if word not in ("@", "$", "€", "*")]


class Text:
    """A text to be searched, in its readings: as it stands, and with letters that stand apart as one word."""

    def __init__(self, text: str):
        plain = folded(text)
        self.readings = [_words(plain)]
        joined = (_joined(self.readings[0], apart) for apart in ((), ("a", "i")))
        for other in (_words(_GLUED.sub("", plain)), *joined):
            if other not in self.readings:
                self.readings.append(other)
        self.places = [_places(words) for words in self.readings]


def _places(words: list[str]) -> dict[str, int]:
    """Where each word stands, as the bits of a number."""
    places: dict[str, int] = {}
    for place, word in enumerate(words):
        places[word] = places.get(word, 0) | 1 << place
    return places


def _joined(words: list[str], apart: tuple[str, ...]) -> list[str]:
    """Three single letters or more in a row, as one word: n u d e. One that begins them and is `apart` stays a word."""
    joined, run = [], []
    for word in [*words, ""]:
        if len(word) == 1:
            run.append(word)
            continue
        if len(run) > 3 and run[0] in apart:
            joined.append(run.pop(0))
        joined += ["".join(run)] if len(run) > 2 else run
        run = []
        joined += [word] if word else []
    return joined


class Phrase:
    """Words in a row. `*` stands for any letters within a word, and by itself for up to GAP words."""

    def __init__(self, phrase: str):
        self.phrase = phrase.strip()
        self.parts = _parts(self.phrase)
        self.literal = next((part for part in self.parts if "*" not in part), None)

    def found_in(self, text: Text) -> Found | None:
        for words, places in zip(text.readings, text.places, strict=True):
            if self.literal and self.literal not in places:
                continue
            if span := self._span(len(words), [_standing(part, places) for part in self.parts]):
                begin, end = span
                excerpt = " ".join(words[max(0, begin - 4) : end + 4])
                return Found(self.phrase, " ".join(words[begin:end]), excerpt)
        return None

    def _span(self, length: int, standing: list[int | None]) -> tuple[int, int] | None:
        """Where all parts follow each other. Every place in the text is tried at once, as a bit of a number: a step
        for each part, forward for the end and back again for the beginning."""
        ends = (1 << length) - 1
        for places in standing:
            ends = _spread(ends, 1) if places is None else (ends & places) << 1
            if not ends:
                return None
        end = (ends & -ends).bit_length() - 1
        begins = 1 << end
        for places in reversed(standing):
            begins = _spread(begins, -1) if places is None else (begins >> 1) & places
        return begins.bit_length() - 1, end


def _standing(part: str, places: dict[str, int]) -> int | None:
    """Where words stand that the part fits; None for a *, which stands for any."""
    if part == "*":
        return None
    found = 0
    for word, bits in places.items():
        if _fits(part, word):
            found |= bits
    return found


def _spread(bits: int, way: int) -> int:
    """Up to GAP places on, or back."""
    for _step in range(GAP):
        bits |= bits << 1 if way > 0 else bits >> 1
    return bits


def _fits(part: str, word: str) -> bool:
    """Piece by piece from the left, each at the first place where it fits: no place is tried twice."""
    if "*" not in part:
        return part == word
    first, *middle, last = part.split("*")
    if len(word) < len(first) + len(last) or not (word.startswith(first) and word.endswith(last)):
        return False
    place, limit = len(first), len(word) - len(last)
    for piece in middle:
        place = word.find(piece, place, limit)
        if place < 0:
            return False
        place += len(piece)
    return True


def _parts(phrase: str) -> tuple[str, ...]:
    if len(phrase) > PHRASE_LENGTH:
        raise BadPhrase("long")
    plain = _INSIDE.sub(lambda found: found[0].translate(_SIGNS), folded(phrase))
    parts = []
    for chunk in plain.split():
        # What is glued to a star stays one word; all else that is no letter parts words, as in a text.
        parts += [part for part in re.split(r"[^\w*]|_", re.sub(r"\*+", "*", chunk)) if part]
    while parts and parts[0] == "*":
        parts.pop(0)
    while parts and parts[-1] == "*":
        parts.pop()
    letters = [part.replace("*", "") for part in parts]
    if not any(len(told) > 1 or not told.isascii() for told in letters):  # "a*" would be found everywhere
        raise BadPhrase("empty")
    if any(part.count("*") > MOST_STARS for part in parts):
        raise BadPhrase("stars")
    if len(parts) > MOST_WORDS:
        raise BadPhrase("words")
    return tuple(parts)


def phrases(text: str) -> tuple[Phrase, ...]:
    """A phrase for each line that has something in it. Raises BadPhrase."""
    return _compiled(text)


@lru_cache(maxsize=1024)
def _compiled(text: str) -> tuple[Phrase, ...]:
    return tuple(Phrase(line) for line in text.splitlines() if line.strip())


def first_found(text: Text, phrases_: tuple[Phrase, ...]) -> Found | None:
    return next((found for phrase in phrases_ if (found := phrase.found_in(text))), None)
