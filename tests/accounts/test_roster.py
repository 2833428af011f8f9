"""Lists as admins really have them: every row is read, or its line is named with what is wrong with it."""

import pytest

from accounts.inviting import roster

TERMS = {"role": "artist", "cohort": "Spring", "note": ""}


def read(text, **terms):
    return roster.read(text, **{**TERMS, **terms})


def rows(text, **terms):
    found = read(text, **terms)
    assert found.problems == ()
    return [(one.line, one.email, one.role, one.cohort, one.note) for one in found.people]


def problems(text):
    return [(one.line, one.sentence) for one in read(text).problems]


ADA, BOB = (1, "ada@example.com", "artist", "Spring", ""), (2, "bob@example.com", "artist", "Spring", "")


@pytest.mark.parametrize(
    "text",
    [
        "ada@example.com\nbob@example.com",
        "ada@example.com\r\nbob@example.com\r\n",
        "ada@example.com\rbob@example.com",
        "\ufeffada@example.com\nbob@example.com",
        "  Ada@Example.COM  \nmailto:bob@example.com",
        "Ada Painter <ada@example.com>\n<bob@example.com>",
        '"Painter, Ada" <ada@example.com>\nPainter, Bob <bob@example.com>,',
        "ada@example.com,\nbob@example.com;",
        "ada@example.com,artist,Spring\nbob@example.com,,",
        "ada@example.com;Artist;Spring;\nbob@example.com;;;",
        "ada@example.com\tARTIST\tSpring\nbob@example.com",
        '"ada@example.com","artist","Spring",""\n"bob@example.com"',
    ],
)
def test_two_people_in_any_spelling(text):
    assert rows(text) == [ADA, BOB]


def test_addresses_beside_each_other_as_mail_programs_copy_them():
    text = "Ada <ada@example.com>, bob@example.com; \nGrace <grace@example.com>"
    found = read(text.replace("; ", ""))
    assert [(one.line, one.email) for one in found.people] == [
        (1, "ada@example.com"),
        (1, "bob@example.com"),
        (2, "grace@example.com"),
    ]


def test_a_header_says_which_column_is_which_and_unknown_ones_are_told():
    text = "Name;Role;E-Mail;Personal note\nAda;reviewer;ada@example.com;Come\n\nBob;;bob@example.com;"
    found = read(text, note="Everybody's note")
    assert [(one.line, one.email, one.role, one.note) for one in found.people] == [
        (2, "ada@example.com", "reviewer", "Come"),
        (4, "bob@example.com", "artist", "Everybody's note"),
    ]
    assert found.remarks == (
        "The column “Name” is not one of email, role, cohort and note, and was left out.",
    )


def test_a_quoted_note_keeps_its_commas_its_quotes_and_its_lines():
    text = 'email,note\nada@example.com,"Dear Ada,\n\n""come"" soon; please"\nbob@example.com,'
    assert rows(text) == [
        (2, "ada@example.com", "artist", "Spring", 'Dear Ada,\n\n"come" soon; please'),
        (5, "bob@example.com", "artist", "Spring", ""),
    ]


def test_a_note_may_hold_an_address():
    assert rows("ada@example.com,,,ask me@example.org")[0][4] == "ask me@example.org"


LONG = "x" * 1001


@pytest.mark.parametrize(
    "text, line, said",
    [
        ("ada@example.com\n\nnonsense", 3, "This is not an e-mail address."),
        ("ada@@example.com", 1, "This is not an e-mail address."),
        ("ada@example.com bob@example.com", 1, "This is not an e-mail address."),
        ("ada@localhost@", 1, "This is not an e-mail address."),
        (f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.com", 1, "at most 254 characters"),
        (",artist", 1, "There is no address on this line."),
        ("email,role\n,artist", 2, "There is no address on this line."),
        ("ada@example.com\nADA@example.com", 2, "Twice in the list: it is also on line 1."),
        ("ada@example.com,king", 1, "“king” is no role here. Write artist, reviewer or admin."),
        (f"ada@example.com,artist,{'x' * 81}", 1, "A cohort's name has 1 to 80 characters"),
        ('ada@example.com,artist,"a\nb"', 1, "A cohort's name has 1 to 80 characters"),
        ("ada@example.com,artist,a\x07b", 1, "A cohort's name has 1 to 80 characters"),
        (f"ada@example.com,artist,Spring,{LONG}", 1, "The note has 1001 characters, and 1000 is the most."),
        ("ada@example.com,artist,Spring,a\x00b", 1, "The note holds characters that can't be shown."),
        (
            'ada@example.com\nbob@example.com,artist,"Spring\ngrace@example.com',
            2,
            "A quotation mark opens here",
        ),
        (f'ada@example.com,,,"{"y" * 140_000}"', 1, "it is too long"),
    ],
)
def test_each_mistake_is_told_by_its_line(text, line, said):
    ((found, sentence),) = problems(text)
    assert found == line
    assert said in sentence


def test_one_bad_line_spoils_no_other():
    text = "ada@example.com\nnonsense\nbob@example.com,king\nada@example.com\ngrace@example.com"
    assert [one.email for one in read(text).people] == ["ada@example.com", "grace@example.com"]
    assert [line for line, _sentence in problems(text)] == [2, 3, 4]


def test_a_repeated_address_is_told_even_where_the_first_one_was_no_good():
    assert [line for line, _sentence in problems("ada@example.com,king\nada@example.com")] == [1, 2]


def test_an_empty_list_is_nobody():
    for text in ("", " \n\t\n,,,\n", "email,role\n"):
        assert read(text) == roster.Roster((), ())


def test_more_people_than_allowed_are_refused_as_a_whole():
    text = "\n".join(f"person{number}@example.com" for number in range(roster.MOST_PEOPLE + 1))
    with pytest.raises(roster.Unreadable, match="The list has 5001 people, and 5000 at once is the most"):
        read(text)
    assert len(read(text.rpartition("\n")[0]).people) == roster.MOST_PEOPLE


# --- Files ---


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_s_encoding_is_found(encoding):
    text = "email,note\nada@example.com,Grüße – 您好"
    assert roster.decode(text.encode(encoding)) == (text, ())


def test_a_file_in_latin_1_is_read_and_said():
    text, remarks = roster.decode("ada@example.com,,,Grüße".encode("latin-1"))
    assert text == "ada@example.com,,,Grüße"
    assert "isn't in UTF-8" in remarks[0]


@pytest.mark.parametrize(
    "content, said",
    [
        (b"PK\x03\x04 the rest of an xlsx", "This is a spreadsheet file. Save it as CSV"),
        (b"\xd0\xcf\x11\xe0 the rest of an xls", "This is a spreadsheet file. Save it as CSV"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "This is no text file."),
        (b"a" * (roster.MOST_BYTES + 1000), "The file has 701 KB, and 700 KB is the most."),
    ],
)
def test_a_file_that_is_no_list_gets_a_sentence(content, said):
    with pytest.raises(roster.Unreadable, match=said):
        roster.decode(content)
