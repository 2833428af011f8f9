"""The gate's tables as raw SQL writes to them, and one world of rows in which every way past the gate can be tried."""

import uuid
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import FactorReset, allowance, exclusion, pause, roles
from generation.models import Clip, Mark
from review import gate, policy, sealing, triggers
from review.models import Decision, Milestone, SecondLook, Submission

from . import factories

TABLES = {  # the gate's tables, each with the column that its rows are known by
    "accounts_allowanceentry": "id",
    "accounts_answer": "id",
    "accounts_auditentry": "sequence",
    "accounts_ending": "id",
    "accounts_factorreset": "id",
    "accounts_lift": "id",
    "accounts_objection": "id",
    "accounts_pause": "id",
    "accounts_resumption": "id",
    "accounts_rolechange": "id",
    "accounts_suspension": "id",
    "generation_mark": "id",
    "review_decision": "id",
    "review_milestone": "id",
    "review_pass": "id",
    "review_policyclause": "id",
    "review_policyversion": "number",
    "review_publicfile": "id",
    "review_publication": "id",
    "review_question": "id",
    "review_recusal": "id",
    "review_remark": "id",
    "review_reply": "id",
    "review_secondlook": "id",
    "review_submission": "id",
    "review_takedown": "id",
    "review_withdrawal": "id",
}
REFUSED = "The gate refuses"
every_table = pytest.mark.parametrize("table", TABLES)


def sqlite_only(test):
    return pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite's way of writing")(test)


def postgres_only(test):
    return pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's way of writing")(test)


@pytest.fixture(scope="module")
def made(lasting):
    """One clip for each end that a submission can come to, so that every table of the gate has rows."""
    on_frame = {"first_frame": 1, "last_frame": 2, "text": "Here.", "drawing": "box 1 2 3 4"}
    refused = factories.decision(factories.submission(), "refuse", said_of_frames=[on_frame])
    approved = factories.decision(factories.submission())
    live = factories.publication()
    ended = factories.publication()
    ended_by = factories.member("reviewer")
    gate.take_down(ended, by=ended_by, reason="A reason.")
    withdrawn = factories.submission()
    sealing.withdraw(withdrawn, by=withdrawn.artist)
    waiting = factories.submission()
    recused = factories.stepped_aside(waiting)
    factories.asked(waiting, answer="My own.")
    Milestone.objects.create(submission=waiting, kind="reminder", at=timezone.now(), due_at=timezone.now())
    seen = {"decision": refused, "by": factories.member("reviewer"), "note": "I see nothing wrong."}
    SecondLook.objects.create(**seen, outcome="approve", policy_version=refused.policy_version)
    Mark.objects.of(waiting.pk, owner=waiting.artist)
    Mark.objects.of(waiting.pk, owner=waiting.artist, viewer=recused)
    bare = factories.clip(factories.member())
    _acts_of_an_admin()
    settle()
    return SimpleNamespace(
        refused=refused,
        approved=approved,
        live=live,
        ended=ended,
        withdrawn=withdrawn,
        waiting=waiting,
        recused=recused,
        bare=bare,
    )


def _acts_of_an_admin():
    """One record of each kind about members."""
    admin = factories.member("admin")
    kept_out = exclusion.suspend(factories.member().membership, by=admin, reason="A reason.")
    exclusion.answer(exclusion.object_to(kept_out, text="An objection."), by=admin, text="An answer.")
    back = exclusion.suspend(factories.member().membership, by=admin, reason="A reason.")
    exclusion.lift(back, by=admin, reason="A note.")
    exclusion.end(factories.member().membership, by=admin, reason="A reason.")
    roles.change_role(factories.member().membership, "reviewer", by=admin)
    FactorReset.objects.create(user=factories.member(), by=admin, reason="A reason.")
    pause.pause(by=admin, reason="A reason.")
    pause.resume(by=admin)
    factories.policy_version(by=admin)
    spender = factories.member().membership
    allowance.grant(spender, 100, by=admin)
    allowance.reserve(spender, 10, job=uuid.uuid4())


@pytest.fixture
def gate_database(request):
    """Most tests here share one world, and each change is undone; those that remake tables have a database each."""
    if "transactional_db" not in request.fixturenames:
        request.getfixturevalue("made")
        request.getfixturevalue("undone")


def settle():
    """PostgreSQL alters no table while checks of its rows are pending, as foreign keys are until the commit."""
    connection.check_constraints()


@contextmanager
def lowered():
    """For writing what the gate would never let in, to see that the next wall holds."""
    settle()
    triggers.lower_gate()
    yield
    settle()
    triggers.raise_gate()


def run(statement, *params):
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchall() if cursor.description else None


def refused(statement, *params, words=REFUSED):
    with pytest.raises(IntegrityError, match=words), transaction.atomic():
        run(statement, *params)


def key(record):
    """A primary key as raw SQL spells it."""
    return record.pk.hex if isinstance(record.pk, uuid.UUID) and connection.vendor == "sqlite" else record.pk


def fresh_id():
    return uuid.uuid4().hex if connection.vendor == "sqlite" else uuid.uuid4()


def a_row(table, where="1 = 1", *params) -> dict:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {table} WHERE {where} LIMIT 1", params)
        return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))


def insert(row: dict, table: str, verb="INSERT INTO", tail="") -> tuple:
    columns = ", ".join(row)
    holes = ", ".join(["%s"] * len(row))
    return (f"{verb} {table} ({columns}) VALUES ({holes}) {tail}", *row.values())


def new_decision(on: Submission, by, **changes) -> tuple:
    row = {
        "submission_id": key(on),
        "outcome": "approve",
        "content_hash": on.content_hash or "0" * 64,
        "by_id": key(by),
        "at": timezone.now(),
        "policy_version": policy.current().name,
        "reasons": "rights",
        "note": "A note.",
    }
    return insert(row | changes, "review_decision")


def new_publication(decision: Decision, **changes) -> tuple:
    row = {
        "id": fresh_id(),
        "approval_id": decision.pk,
        "content_hash": decision.content_hash,
        "slug": uuid.uuid4().hex[:12],
        "by_id": key(decision.submission.artist),
        "published_at": timezone.now(),
    }
    return insert(row | changes, "review_publication")


def new_submission(clip: Clip, **changes) -> tuple:
    row = {
        "id": fresh_id(),
        "clip_id": key(clip),
        "artist_id": key(clip.owner),
        "version": 90,
        "title": "Raw",
        "statement": "",
        "discloses_recipe": False,
        "publish_on_approval": False,
        "created_at": timezone.now(),
        "content": "",
    }
    return insert(row | changes, "review_submission")


def unsealed(clip: Clip, **changes) -> Submission:
    pk = fresh_id()
    run(*new_submission(clip, id=pk, **changes))
    return Submission.objects.get(pk=pk)
