"""The program's own role on PostgreSQL: all that the product does, and nothing of what would open the gate."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import AuditEntry, audit, cohorts, exclusion, grants, pause
from accounts.models import roles as roles_of_members
from accounts.models.factors import reset
from accounts.models.invitation import invite, revoke
from generation import queue, takes
from review import clocks, deleting, gate, sealing, second_looks, sweep, triggers
from review import queue as desk
from review.models import Clock, Submission
from sorahub import roles
from sorahub.backup import marker
from sorahub.tidying import tidy

from . import factories
from .accounts.factors import with_app
from .gate_sql import postgres_only
from .settings import PROCESS

pytestmark = pytest.mark.django_db
ROLE = f"sorahub_tests_{PROCESS}"  # the server has one set of roles for all its databases


def printed(role=ROLE) -> str:
    said = io.StringIO()
    call_command("databaseroles", role, stdout=said)
    return said.getvalue()


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def as_the_program(db):
    """Everything from here on is done by the program's role, in a transaction that is undone."""
    run(f"CREATE ROLE {ROLE} NOLOGIN")
    told = [line.rstrip(";") for line in printed().splitlines() if line not in ("BEGIN;", "COMMIT;")]
    run(*told, f"SET LOCAL ROLE {ROLE}")
    yield
    run("RESET ROLE")


@pytest.fixture
def whole_house():
    """One of each, made by the owner: what the program must not change."""
    published = factories.publication()
    ended = factories.publication()
    gate.take_down(ended, by=ended.submission.artist, reason="A reason.")
    factories.decision(factories.submission(), "refuse")
    withdrawn = factories.submission()
    sealing.withdraw(withdrawn, by=withdrawn.artist)
    connection.check_constraints()
    return published


@postgres_only
def test_the_product_does_all_its_acts(as_the_program, login, settings):
    artist, reviewer, admin = (factories.member(role) for role in ("artist", "reviewer", "admin"))
    approved, refused = factories.submission(artist=artist), factories.submission(artist=artist)
    factories.decision(approved, by=reviewer)
    on_frame = {"first_frame": 1, "last_frame": 2, "text": "Here.", "drawing": ""}
    factories.decision(refused, "refuse", by=reviewer, said_of_frames=[on_frame])
    publication = gate.publish(approved, by=artist)
    assert login().get(f"/watch/{publication.slug}/video.mp4").status_code == 200
    gate.take_down(publication, by=artist)
    asked = factories.submission(artist=artist)
    factories.asked(asked, by=reviewer, answer="My own.")
    assert desk.claim(asked, by=reviewer)
    desk.hand_over(asked, by=factories.member("lead"), to=factories.member("reviewer"))
    Clock.objects.filter(submission=asked).update(due_at=Now(), rings_at=Now())
    assert clocks.ring_due() == 3
    settings.SECOND_LOOK = 1.0
    second_looks.say(refused, by=factories.member("reviewer"), outcome="approve")
    taken_back = factories.submission(artist=artist)
    sealing.withdraw(taken_back, by=artist)
    queue.cancel(factories.job(artist), by=artist)
    assert login(artist).get("/studio/").status_code == 200
    exclusion.lift(exclusion.suspend(artist.membership, by=admin, reason="A reason."), by=admin)
    invitation, _ = invite("one@example.com", role="artist", cohort="First", by=admin)
    revoke(invitation, by=admin)
    assert login(reviewer).post("/desk/next/").status_code == 302
    sweep.sweep(grace=0, reread=True)
    assert list(audit.broken_entries()) == []
    assert triggers.missing_triggers() == []
    assert marker.unfinished() is None
    assert login().get("/readyz").json()["gate"] is True
    AuditEntry.objects.filter(sequence=1).update(words="", salt="", erased_at=timezone.now())
    Submission.objects.filter(pk=refused.pk).update(
        title="", statement="", content="", erased_at=timezone.now()
    )


@postgres_only
def test_the_product_deletes_and_runs_the_program_too(as_the_program, login):
    artist, reviewer, admin = (factories.member(role) for role in ("artist", "reviewer", "admin"))
    member = artist.membership
    deleting.delete(factories.clip(artist), by=artist)
    gone = factories.job(artist)
    attempt = queue.claim_next("tests")
    queue.cancel(gone, by=artist)
    takes.remove(gone, by=artist)
    assert not queue.give_up(attempt, retry=True)
    for _ in range(2):
        waiting = factories.submission(artist=artist)
        assert desk.claim(waiting, by=reviewer)
        desk.pass_on(waiting, by=reviewer, reason="Another time.")
        desk.recuse(waiting, by=reviewer, reason="The artist is a friend.")
    cohort = cohorts.create(by=admin, name="Another", model_ids=[], allowance=100)
    assert roles_of_members.move(member, cohort, by=admin)
    cohorts.change(cohort, by=admin, allowance=200)
    grants.grant_to_cohort(cohort, 5, by=admin)
    grants.grant_extra(member, -5, by=admin)
    assert roles_of_members.change_role(member, "reviewer", by=admin)
    pause.pause(by=admin, reason="A reason.")
    assert pause.resume(by=admin)
    suspension = exclusion.suspend(member, by=admin, reason="A reason.")
    exclusion.answer(exclusion.object_to(suspension, text="No."), by=admin, text="Yes.")
    exclusion.end(member, by=admin, reason="A reason.")
    reset(with_app(reviewer), by=admin, reason="Seen on the phone.")
    session = login(admin)
    session.get("/accounts/sessions/")
    assert session.post("/accounts/sessions/", {"session": "others"}).status_code == 302
    tidy()
    assert list(audit.broken_entries()) == []


@postgres_only
def test_no_record_is_changed_deleted_or_emptied(whole_house, as_the_program):
    for table, columns in triggers._columns(connection).items():
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE", f"DROP TABLE {table} CASCADE"):
            refused(statement)
        for column in set(columns) - set(roles._changed(table)):
            refused(f"UPDATE {table} SET {column} = {column}")


OPENINGS = [
    "DROP TRIGGER gate_review_decision_fits ON review_decision",
    "ALTER TABLE review_decision DISABLE TRIGGER ALL",
    "ALTER TABLE review_decision DISABLE TRIGGER gate_review_decision_fits",
    "ALTER TABLE review_takedown RENAME TO gone",
    "ALTER TABLE review_publication ADD COLUMN extra integer",
    f"ALTER TABLE review_publication OWNER TO {ROLE}",
    'CREATE OR REPLACE FUNCTION "gate_review_decision_fits"() RETURNS trigger LANGUAGE plpgsql'
    " AS 'BEGIN RETURN NEW; END'",
    'DROP FUNCTION "gate_review_decision_fits"() CASCADE',
    "CREATE TABLE own (id integer)",
    "CREATE TRIGGER before_it BEFORE INSERT ON review_decision FOR EACH ROW"
    ' EXECUTE FUNCTION "gate_review_decision_fits"()',
    "CREATE RULE away AS ON DELETE TO review_claim DO INSTEAD NOTHING",
    "SET session_replication_role = replica",
    "CREATE TEMPORARY TABLE review_recusal (id integer)",
    "CREATE SCHEMA own",
    "DELETE FROM accounts_user",
    "DELETE FROM accounts_membership",
    "DELETE FROM accounts_audithead",
    "DELETE FROM accounts_invitation",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('review', 'own', now())",
    "UPDATE auth_permission SET name = name",
    "SELECT setval('review_decision_id_seq', 1)",
]


@postgres_only
def test_nothing_that_would_open_the_gate_is_allowed(whole_house, as_the_program):
    for statement in OPENINGS:
        refused(statement)
    run("GRANT DELETE ON review_decision TO PUBLIC")  # PostgreSQL only warns that nothing was granted
    refused("DELETE FROM review_decision")
    assert triggers.missing_triggers() == []


def refused(statement: str) -> None:
    with pytest.raises(DatabaseError) as found, transaction.atomic():
        run(statement)
    told = str(found.value)
    assert "permission denied" in told or "must be owner" in told, (statement, told)


@postgres_only
def test_the_printed_rights_can_be_given_twice(whole_house, as_the_program):
    run("RESET ROLE")
    told = printed()
    assert told == printed()
    assert told.startswith("BEGIN;\n")
    assert told.endswith("COMMIT;\n")
    run(*[line.rstrip(";") for line in told.splitlines() if line not in ("BEGIN;", "COMMIT;")])
    run(f"SET LOCAL ROLE {ROLE}")
    factories.publication()


@postgres_only
@pytest.mark.parametrize("role", ["", "a b", 'x"; DROP TABLE y; --', "Upper", "1st"])
def test_a_bad_name_for_a_role_is_refused(role):
    with pytest.raises(CommandError, match="is no name for a role"):
        printed(role)


@postgres_only
def test_the_owner_is_not_given_the_program_s_rights():
    with pytest.raises(CommandError, match="name the program's, which owns nothing"):
        printed(connection.settings_dict["USER"])


def test_sqlite_says_that_it_has_no_roles():
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL has roles")
    with pytest.raises(CommandError, match="SQLite has no roles"):
        printed()


def test_every_table_of_the_gate_is_known_and_none_can_be_deleted_from():
    assert set(triggers.IDENTITY) <= set(roles.tables())
    assert not roles.DELETED & set(triggers.IDENTITY)
    assert not roles.READ_ONLY & set(triggers.IDENTITY)
    assert set(roles.tables()) >= roles.DELETED, "a name that no table has"
    for table in triggers.IDENTITY:
        rights = " ".join(roles._rights(table))
        assert "DELETE" not in rights
        assert rights.startswith("SELECT, INSERT")
