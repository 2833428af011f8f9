"""Numbers for marks: one for each copy, random, and never two people's."""

import uuid

import pytest

from generation.models import Mark
from generation.models import mark as marks
from tests import factories

pytestmark = pytest.mark.django_db


def test_each_copy_has_a_number_of_its_own_and_keeps_it(artist, reviewer):
    submission = uuid.uuid4()
    public = Mark.objects.of(submission, owner=artist)
    viewed = Mark.objects.of(submission, owner=artist, viewer=reviewer)
    assert Mark.objects.of(submission, owner=artist) == public
    assert Mark.objects.of(submission, owner=artist, viewer=reviewer) == viewed
    others = [
        Mark.objects.of(submission, owner=artist, viewer=factories.member("reviewer")),
        Mark.objects.of(uuid.uuid4(), owner=artist),
    ]
    assert len({public.number, viewed.number, *(other.number for other in others)}) == 4
    assert all(0 <= mark.number < marks.NUMBERS for mark in Mark.objects.all())


def test_a_number_that_is_taken_is_drawn_anew_and_at_last_given_up(artist, monkeypatch):
    monkeypatch.setattr(marks, "NUMBERS", 2)
    for _copy in range(2):
        for _try in range(50):  # a coin that never falls on its other side in so many throws is no coin
            try:
                Mark.objects.of(uuid.uuid4(), owner=artist)
                break
            except marks.IntegrityError:
                continue
    assert set(Mark.objects.values_list("number", flat=True)) == {0, 1}
    with pytest.raises(marks.IntegrityError):
        Mark.objects.of(uuid.uuid4(), owner=artist)
