"""The gate's own locks, on PostgreSQL: who comes second waits at the submission's row, and sees what the first did."""

import pytest
from django.db import connection

from accounts.models import AuditEntry
from review import gate
from review.models import Submission, Takedown
from review.permissions import Conflict
from tests import factories

from .racing import held_up

pytestmark = [
    pytest.mark.services,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"),
]


def test_a_copy_that_ends_while_a_takedown_is_under_way_waits_for_it_and_clears_away(reviewer):
    publication = factories.publication()
    pk = publication.submission.pk
    told = held_up(
        Submission,
        pk,
        lambda: gate.put_files_in_place(publication),
        meanwhile=lambda: gate.take_down(publication, by=reviewer),
    )
    assert told == [False]
    assert not gate.has_its_files(publication)


def test_who_comes_second_with_a_takedown_waits_for_the_first_and_is_told():
    publication = factories.publication()

    def take_down(by):
        try:
            return gate.take_down(publication, by=by).by
        except Conflict:
            return "told"

    staff = [factories.member(role) for role in ("reviewer", "admin")]
    acts = [lambda by=by: take_down(by) for by in staff]
    outcomes = held_up(Submission, publication.submission.pk, *acts)
    assert set(outcomes) == {"told", Takedown.objects.get().by}


def test_of_two_replays_of_one_takedown_at_once_one_records_it(admin):
    publication = factories.publication()
    told = {"slug": publication.slug, "content_hash": publication.content_hash, "at": None, "by": admin}
    acts = [lambda: gate.replay_takedown(str(publication.pk), **told) for _replay in range(2)]
    outcomes = held_up(Submission, publication.submission.pk, *acts)
    assert set(outcomes) == {gate.Replayed.AGAIN, gate.Replayed.ALREADY}
    assert Takedown.objects.get().publication == publication
    assert AuditEntry.objects.filter(act="publication.taken_down").count() == 1
