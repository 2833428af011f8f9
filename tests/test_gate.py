"""What the database itself refuses, tried in raw SQL: no decision and no publication gets past the gate.

The same goes for finished records (test_gate_records.py) and for what is submitted (test_gate_submission.py).
"""

import ast
import uuid
from pathlib import Path

import pytest
from django.conf import settings as project
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from review.models import Decision, Publication

from . import factories
from .gate_sql import (
    REFUSED,
    lowered,
    new_decision,
    new_publication,
    postgres_only,
    refused,
    run,
    unsealed,
)

pytestmark = pytest.mark.usefixtures("gate_database")

# --- First of all: what is right does pass, or the rest would prove nothing -------------------------


def test_a_true_approval_and_its_publication_pass(made):
    reviewer = factories.member("reviewer")
    run(*new_decision(made.waiting, reviewer))
    decision = Decision.objects.get(submission=made.waiting)
    run(*new_publication(decision))
    assert Publication.objects.live().filter(approval=decision.pk).exists()


# --- A publication needs its approval --------------------------------------------------------------


def test_nothing_is_published_over_a_refusal(made):
    refused(*new_publication(made.refused))


def test_nothing_is_published_under_another_hash(made):
    refused(*new_publication(made.approved, content_hash="0" * 64))
    refused(*new_publication(made.approved, content_hash=made.waiting.content_hash))


def test_nothing_is_published_over_a_decision_that_does_not_exist(made):
    refused(*new_publication(made.approved, approval_id=10_000_000))


def test_nothing_is_published_twice_even_after_a_takedown(made):
    refused(*new_publication(made.ended.approval))
    refused(*new_publication(made.live.approval))


def test_nothing_is_published_on_its_artists_own_approval(made):
    """Such an approval can't be written, so the gate is lowered for that one row, and stands again for the rest."""
    with lowered():
        run(*new_decision(made.waiting, made.waiting.artist))
    refused(*new_publication(Decision.objects.get(submission=made.waiting)))


def test_nothing_withdrawn_is_published_however_its_approval_came_about(made):
    """Two raw sessions at once could each miss the other's row; the publication would still meet both."""
    with lowered():
        run(*new_decision(made.withdrawn, factories.member("reviewer")))
    refused(*new_publication(Decision.objects.get(submission=made.withdrawn)))


@postgres_only
def test_a_copied_in_publication_is_refused(made):
    row = "\t".join(
        [
            str(uuid.uuid4()),
            made.refused.content_hash,
            "copiedinslug",
            timezone.now().isoformat(),
            str(made.refused.pk),
            str(made.refused.submission.artist.pk),
        ]
    )
    columns = "id, content_hash, slug, published_at, approval_id, by_id"
    with pytest.raises(Exception, match=REFUSED), transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(f"COPY review_publication ({columns}) FROM STDIN") as copy:
            copy.write(row + "\n")


@postgres_only
def test_a_replica_session_can_not_publish_either(made):
    with transaction.atomic():
        run("SET LOCAL session_replication_role = replica")
        refused(*new_publication(made.refused))
        refused(*new_decision(made.waiting, made.waiting.artist))
        run("SET LOCAL session_replication_role = DEFAULT")


def test_a_temporary_table_does_not_answer_in_place_of_the_real_one(made):
    """A shadow of the decisions that says "approved" of everything convinces nobody."""
    run("CREATE TEMPORARY TABLE review_decision AS SELECT * FROM review_decision")
    run("CREATE TEMPORARY TABLE review_submission AS SELECT * FROM review_submission")
    shadow = "temp" if connection.vendor == "sqlite" else "pg_temp"
    run(f"UPDATE {shadow}.review_decision SET outcome = 'approve'")
    try:
        assert run("SELECT DISTINCT outcome FROM review_decision") == [("approve",)], (
            "the shadow isn't in front"
        )
        refused(*new_publication(made.refused))
    finally:
        run(f"DROP TABLE {shadow}.review_decision")
        run(f"DROP TABLE {shadow}.review_submission")


# --- A decision needs sealed content and another pair of eyes ---------------------------------------


def test_artists_do_not_decide_on_their_own_clips(made):
    refused(*new_decision(made.waiting, made.waiting.artist))
    refused(*new_decision(made.waiting, made.waiting.artist, outcome="refuse"))


def test_nobody_decides_on_what_is_not_sealed(made):
    draft = unsealed(made.bare)
    refused(*new_decision(draft, factories.member("reviewer")))
    refused(*new_decision(draft, factories.member("reviewer"), content_hash=None), words=None)


def test_nobody_decides_on_what_was_withdrawn(made):
    refused(*new_decision(made.withdrawn, factories.member("reviewer")))


def test_nobody_decides_on_other_content_than_was_sealed(made):
    refused(*new_decision(made.waiting, factories.member("reviewer"), content_hash="0" * 64))


@pytest.mark.parametrize("outcome", ["approve", "refuse"])
def test_there_is_one_decision_for_ever(made, outcome):
    for decided in (made.refused, made.approved):
        refused(*new_decision(decided.submission, factories.member("reviewer"), outcome=outcome))


def test_a_decision_approves_or_refuses_and_nothing_else(made):
    refused(
        *new_decision(made.waiting, factories.member("reviewer"), outcome="perhaps"), words="decision_outcome"
    )


@pytest.mark.parametrize("missing", [{"reasons": ""}, {"note": ""}])
def test_a_refusal_without_reasons_or_note_is_refused(made, missing):
    by = factories.member("reviewer")
    refused(
        *new_decision(made.waiting, by, outcome="refuse", **missing), words="refusal_gives_reasons_and_a_note"
    )


def test_no_error_of_the_gate_is_taken_for_a_fault_of_the_database():
    """Code that catches IntegrityError must catch the gate's refusals alike, on both databases."""
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        run("DELETE FROM review_decision")
    assert type(caught.value) is IntegrityError


def test_who_is_recused_decides_on_no_version_of_the_clip(made):
    refused(*new_decision(made.waiting, made.recused))
    refused(*new_decision(made.waiting, made.recused, outcome="refuse"))
    factories.decision(made.waiting, "refuse")
    again = factories.submission(made.waiting.clip)
    refused(*new_decision(again, made.recused), words="recused")
    run(*new_decision(again, factories.member("reviewer")))


# --- One writer ---------------------------------------------------------------------------------------

WRITES = {"create", "acreate", "bulk_create", "get_or_create", "update_or_create", "save", "update", "delete"}
GUARDED = {"Publication", "Takedown"}


def writers(source: str) -> list[str]:
    """Places in Python source that make a Publication or a Takedown: by class, by manager, or in raw SQL."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            names = _dotted(node.func)
            made = names[-1:] and names[-1] in GUARDED
            written = len(names) > 1 and names[-1] in WRITES and GUARDED & set(names)
            found += [".".join(names)] if made or written else []
            if names[-1:] == ["get_model"]:
                said = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
                found += (
                    [str(said)] if {str(word).rpartition(".")[2].title() for word in said} & GUARDED else []
                )
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = " ".join(node.value.upper().split())
            tables = ("REVIEW_PUBLICATION", "REVIEW_TAKEDOWN")
            if any(f"{verb} {table}" in text for verb in ("INTO", "UPDATE") for table in tables):
                found.append(node.value)
    return found


def _dotted(node) -> list[str]:
    if isinstance(node, ast.Attribute):
        return [*_dotted(node.value), node.attr]
    if isinstance(node, ast.Call):
        return _dotted(node.func)
    return [node.id] if isinstance(node, ast.Name) else []


def test_the_search_for_writers_finds_them():
    samples = [
        "Publication(slug='x').save()",
        "models.Publication.objects.create(slug='x')",
        "Takedown.objects.filter(pk=1).get_or_create()",
        "cursor.execute('insert into review_publication values (1)')",
        "apps.get_model('review', 'Publication').objects.create()",
    ]
    assert all(writers(sample) for sample in samples)
    assert writers("Publication.objects.live().filter(slug='x').first()") == []


def test_only_the_gate_creates_a_publication_or_a_takedown():
    root = Path(project.BASE_DIR)
    sources = [
        path
        for app in ("accounts", "generation", "review", "sorahub")
        for path in (root / app).rglob("*.py")
        if path.parent.name != "migrations"
    ]
    assert len(sources) > 60
    writing = {str(path.relative_to(root)) for path in sources if writers(path.read_text())}
    assert writing == {"review/gate.py"}
