"""The documents lead somewhere: what they link to, name and tell to type is there."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

PROJECT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*PROJECT.glob("*.md"), *(PROJECT / "docs").rglob("*.md")])
FOLDERS = "accounts|bench|deploy|docs|generation|review|sorahub|static|templates|tests"


@pytest.fixture(params=DOCUMENTS, ids=lambda path: str(path.relative_to(PROJECT)))
def document(request):
    return request.param


def test_links_and_pictures_are_there(document):
    links = re.findall(r"\]\(([^)#\s]+)", document.read_text())
    missing = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert missing == []


def test_files_that_are_named_are_there(document):
    named = re.findall(rf"`((?:{FOLDERS})/[\w./@-]+)`", document.read_text())
    assert [path for path in named if not (PROJECT / path).exists()] == []


def test_what_one_is_told_to_type_is_known(document):
    text = document.read_text()
    targets = re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    typed = re.findall(r"(?:^|`)make ([a-z][\w-]*)", text, re.MULTILINE)
    assert set(typed) <= set(targets)
    assert set(re.findall(r"manage\.py ([a-z_]+)", text)) <= set(get_commands())


def test_settings_that_are_named_are_listed(document):
    named = set(re.findall(r"\bSORAHUB_[A-Z]+(?:_[A-Z]+)*\b", document.read_text()))
    listed = set(re.findall(r"^#?(SORAHUB_[A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))
    assert named - {"SORAHUB_PICTURES"} <= listed  # which is for the tests alone
