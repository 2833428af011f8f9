"""What a phrase finds in a text, however that is spelled; and that nothing anybody types makes it slow."""

import time

import pytest

from generation import wording
from generation.wording import Phrase, Text

FOUND = [
    ("nude", "a NUDE man", "nude"),
    ("nude", "núdè", "nude"),
    ("nude", "nu\u200bde", "nude"),  # an invisible sign within it
    ("nude", "n.u.d.e and more", "nude"),
    ("nude", "n u d e", "nude"),
    ("nude", "n-u-d-e", "nude"),
    ("nude", "nud\u0435", "nude"),  # a Cyrillic letter
    ("nude", "\uff4e\uff55\uff44\uff45", "nude"),  # wide ones
    ("node", "a n0de", "node"),
    ("asshole", "a$$hole", "asshole"),
    ("nud*", "all nudity", "nudity"),
    ("*nude*", "denuded", "denuded"),
    ("child * gun", "a child with a big gun", "child with a big gun"),
    ("child * gun", "child gun", "child gun"),
    ("ku klux", "KU   klux Klan", "ku klux"),
    ("naked-man", "a naked man", "naked man"),
    ("a b * dd", "a b c a b dd", "a b dd"),  # the nearest beginning
    ("4k", "in 4k, sharp", "4k"),
    ("血", "the sign 血", "血"),
    ("*裸体*", "一个裸体的人", "一个裸体的人"),
    ("straße", "STRASSE", "strasse"),
]
MISSED = [
    ("nude", "denuded"),
    ("ass", "grass and class"),
    ("child * gun", "a child with a very big shiny gun"),
    ("child gun", "gun child"),
    ("nud*", "denuded"),
    ("ab", "a b"),  # two letters apart are two words
    ("nude", ""),
]


@pytest.mark.parametrize("phrase, text, words", FOUND)
def test_it_finds_words_however_they_are_spelled(phrase, text, words):
    assert Phrase(phrase).found_in(Text(text)).words == words


@pytest.mark.parametrize("phrase, text", MISSED)
def test_it_finds_no_other_words(phrase, text):
    assert Phrase(phrase).found_in(Text(text)) is None


def test_it_shows_a_few_words_around():
    found = Phrase("gun").found_in(Text("one two three four five a gun six seven eight nine ten"))
    assert found.excerpt == "three four five a gun six seven eight nine"


@pytest.mark.parametrize(
    "phrase, why",
    [
        ("*", "empty"),
        ("a*", "empty"),
        ("...", "empty"),
        ("x" * 81, "long"),
        ("a b c d e f g h ii", "words"),
        ("ab*cd*ef*gh", "stars"),
    ],
)
def test_what_would_be_found_everywhere_or_take_long_is_no_phrase(phrase, why):
    with pytest.raises(wording.BadPhrase, match=why):
        Phrase(phrase)


def test_two_spellings_of_one_text_are_one():
    assert wording.normal("  A  Nüde,\nman! ") == wording.normal("a nude man") == "a nude man"


@pytest.mark.parametrize(
    "phrase, text",
    [
        ("aa * aa * aa * aa b", "b " + "aa " * 2600),
        ("aa* * aa* * aa* * b*b", "aa " * 2600),
        ("a*a* * *a*a a*", "".join("a" * (1 + n % 40) + f"{n} " for n in range(900))),
        ("a*a*", "a" * 8000),
        ("*ab*", "a" * 8000),
        ("aa b", "." * 8000),
        ("ab", "a." * 4000),
        ("ab", "0" * 8000),
        ("ab", "a" + "0" * 7998 + "a"),
        ("ab", "\u0301" * 8000),
    ],
)
def test_no_phrase_and_no_text_makes_it_slow(phrase, text):
    """A full rule of the worst phrases on the longest text. A search that tries places anew would take minutes."""
    worst = [Phrase(phrase)] * wording.MOST_PHRASES
    begun = time.process_time()
    wording.first_found(Text(text), tuple(worst))
    assert time.process_time() - begun < 5
