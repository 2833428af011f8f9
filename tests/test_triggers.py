"""The gate notices when it is down: a trigger gone or weakened is named, and a migration leaves all of them up."""

import pytest
from django.db import connection, models

from accounts.models import AuditEntry
from review import gate, triggers
from review.models import Decision, Publication, Submission, Takedown

from . import factories
from .gate_sql import new_publication, postgres_only, refused, run

pytestmark = pytest.mark.usefixtures("gate_database")


def test_the_gate_is_up_and_raising_it_twice_changes_nothing():
    assert triggers.missing_triggers() == []
    triggers.raise_gate()
    assert triggers.missing_triggers() == []


def test_a_dropped_trigger_is_named(client):
    assert client.get("/readyz").json()["gate"] is True
    on = "" if connection.vendor == "sqlite" else "ON review_decision"
    run(f"DROP TRIGGER gate_review_decision_fits {on}")
    assert triggers.missing_triggers() == ["gate_review_decision_fits"]
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["gate"]) == (503, False)


def test_a_weakened_trigger_is_named():
    if connection.vendor == "sqlite":
        run("DROP TRIGGER gate_review_decision_delete")
        run(
            "CREATE TRIGGER gate_review_decision_delete BEFORE DELETE ON review_decision"
            " WHEN FALSE BEGIN SELECT RAISE(ABORT, 'never'); END"
        )
    else:
        run("ALTER TABLE review_decision ENABLE REPLICA TRIGGER gate_review_decision_delete")
    assert triggers.missing_triggers() == ["gate_review_decision_delete"]


@postgres_only
def test_a_trigger_on_another_table_or_with_a_condition_does_not_count():
    run("DROP TRIGGER gate_review_decision_delete ON review_decision")
    run(
        "CREATE TRIGGER gate_review_decision_delete BEFORE DELETE ON review_claim"
        " FOR EACH ROW EXECUTE FUNCTION gate_review_decision_delete()"
    )
    run("ALTER TABLE review_claim ENABLE ALWAYS TRIGGER gate_review_decision_delete")
    run("DROP TRIGGER gate_review_takedown_delete ON review_takedown")
    run(
        "CREATE TRIGGER gate_review_takedown_delete BEFORE DELETE ON review_takedown"
        " FOR EACH ROW WHEN (FALSE) EXECUTE FUNCTION gate_review_takedown_delete()"
    )
    run("ALTER TABLE review_takedown ENABLE ALWAYS TRIGGER gate_review_takedown_delete")
    assert triggers.missing_triggers() == ["gate_review_decision_delete", "gate_review_takedown_delete"]


# --- Migrations ---------------------------------------------------------------------------------------


def add_column(model, name="remade") -> None:
    """What a migration's AddField does; on SQLite it remakes the whole table."""
    field = models.CharField(max_length=8, default="x")
    field.set_attributes_from_name(name)
    field.model = model
    with connection.schema_editor() as editor:
        editor.add_field(model, field)


def drop_column(model, name="remade") -> None:
    field = models.CharField(max_length=8, default="x")
    field.set_attributes_from_name(name)
    field.model = model
    if connection.vendor == "sqlite":
        with connection.schema_editor() as editor:
            editor._remake_table(model)
    else:
        with connection.schema_editor() as editor:
            editor.remove_field(model, field)


@pytest.mark.parametrize("model", [Decision, Publication, Submission, Takedown])
def test_a_migration_that_lowers_and_raises_the_gate_leaves_it_whole(transactional_db, model):
    published = factories.publication()
    ended = factories.publication()
    gate.take_down(ended, by=ended.submission.artist)
    try:
        triggers.lower_gate()
        add_column(model)
        triggers.raise_gate()
        assert triggers.missing_triggers() == []
        refused(f"UPDATE {model._meta.db_table} SET remade = 'y'")
        refused(f"DELETE FROM {model._meta.db_table}")
        refused(*new_publication(published.approval))
    finally:
        triggers.lower_gate()
        drop_column(model)
        triggers.raise_gate()


def test_a_migration_that_forgets_the_gate_is_noticed(transactional_db, client):
    try:
        add_column(AuditEntry)
        missing = triggers.missing_triggers()
        assert "gate_accounts_auditentry_update" in missing
        assert all(name.startswith("gate_accounts_auditentry") for name in missing)
        assert client.get("/readyz").status_code == 503
        triggers.raise_gate()
        assert triggers.missing_triggers() == []
    finally:
        triggers.lower_gate()
        drop_column(AuditEntry)
        triggers.raise_gate()
    assert triggers.missing_triggers() == []


def test_a_table_that_is_gone_counts_as_missing(transactional_db):
    run("ALTER TABLE review_withdrawal RENAME TO review_elsewhere")
    try:
        assert "gate_review_withdrawal" in triggers.missing_triggers()
    finally:
        run("ALTER TABLE review_elsewhere RENAME TO review_withdrawal")
        triggers.raise_gate()
    assert triggers.missing_triggers() == []
