"""Mails: three parts from three templates, one dress for all, and nothing in them that runs or breaks a header."""

import re

import pytest
from django.core import mail
from django.core.mail import EmailMessage

from accounts import emails

LINK = "http://testserver/invitations/a-key/"
WORDS = {
    "invited_by": "Maren <Holt> & Co",
    "role": "an artist",
    "role_code": "artist",
    "cohort": "Spring",
    "note": "Come & play,\n<b>please</b>.",
    "quoted_note": "> Come & play,\n> <b>please</b>.",
    "until": "8 December 2026",
    "link": LINK,
    "email": "ada@example.com",
}


def test_a_mail_has_a_text_and_the_same_words_in_html():
    emails.send("invitation", to="ada@example.com", context=WORDS)
    (sent,) = mail.outbox
    assert sent.to == ["ada@example.com"]
    assert sent.subject == "Maren <Holt> & Co invites you to sorahub"
    assert sent.extra_headers["Auto-Submitted"] == "auto-generated"
    ((page, kind),) = sent.alternatives
    assert kind == "text/html"
    for words in (LINK, "as an artist, in the cohort “Spring”", "until 8 December 2026", "ada@example.com"):
        assert words in sent.body
        assert words in page
    assert "> Come & play,\n> <b>please</b>." in sent.body
    assert "&lt;b&gt;please&lt;/b&gt;" in page
    assert "<b>please" not in page


def test_no_words_left_out_leave_a_gap():
    told = WORDS | {"note": "", "quoted_note": "", "invited_by": ""}
    made = emails.compose("invitation", to="ada@example.com", context=told)
    assert made.subject == "You are invited to sorahub"
    assert "\n\n\n" not in made.body
    assert "blockquote dir" not in made.alternatives[0][0]
    assert "None" not in made.body + made.alternatives[0][0]


@pytest.mark.parametrize("role", ["artist", "reviewer", "admin"])
def test_each_role_reads_what_it_is_for(role):
    told = emails.compose("invitation", to="a@example.com", context=WORDS | {"role_code": role}).body
    said = {
        "artist": "What we ask:",
        "reviewer": "Never decides on a clip of their own.",
        "admin": "Leaves a trace",
    }
    assert [one for one, words in said.items() if words in told] == [role]


def test_a_name_with_a_line_break_breaks_no_header():
    told = WORDS | {"invited_by": "Maren\r\nBcc: everybody@example.com"}
    made = emails.compose("invitation", to="ada@example.com", context=told)
    assert made.subject == "Maren Bcc: everybody@example.com invites you to sorahub"
    assert "\r\nBcc" not in made.message().as_string()


def test_a_mail_of_the_login_s_wears_the_same_dress(client, artist):
    client.post("/accounts/password/reset/", {"email": artist.email})
    (sent,) = mail.outbox
    ((page, _kind),) = sent.alternatives
    link = re.search(r"http://testserver/accounts/password/reset/key/\S+", sent.body)[0]
    assert f'<a href="{link}"' in page
    assert "Open the link" in page
    assert "Hello," in page
    assert "Hello," in sent.body


def test_a_dressed_mail_escapes_what_it_was_told():
    dressed = emails.dress(
        EmailMessage("<i>", "Browser: <script>alert(1)</script>\n\nhttp://x/<b>\n\nEnd", to=["a@b.co"])
    )
    page = dressed.alternatives[0][0]
    assert "<script" not in page
    assert "<b>" not in page
    assert "<i>" not in page
