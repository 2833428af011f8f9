"""What the database role of the running program may do, as SQL for PostgreSQL: made from the models and from the gate's
own lists, so that it can't fall behind them.

The role owns nothing. It can't alter or empty a table, drop a trigger or switch triggers off; of what people did it can
insert records, and change only what sealing and erasure change (the gate's triggers still judge each of those).
"""

import re

from django.apps import apps
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from review import triggers
from review.models import Submission

NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}$")
SEALING = ("content", "content_hash", "sealed_at")

# What the product deletes: leases, sessions, keys, notices and what was never submitted. All else stays.
DELETED = {
    "account_emailaddress",
    "account_emailconfirmation",
    "accounts_notice",
    "django_session",
    "generation_attempt",
    "generation_clip",
    "generation_feedback",
    "generation_fingerprint",
    "generation_job",
    "generation_picture",
    "generation_rendition",
    "generation_worker",
    "mfa_authenticator",
    "review_claim",
    "review_lookup",
    "review_sighting",
    "review_staffcopy",
    "review_words",
    "usersessions_usersession",
}
READ_ONLY = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "django_content_type",
    "django_migrations",
}


class BadName(ValueError):
    pass


def statements(role: str) -> list[str]:
    """Run by the owner of the tables, after each migration; each run begins anew, and a second changes nothing."""
    if not NAME.match(role):
        raise BadName(f"{role!r} is no name for a role: small letters, digits and underscores.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), current_schema()")
        database, schema = cursor.fetchone()
    return [
        "BEGIN",
        f'REVOKE ALL ON ALL TABLES IN SCHEMA "{schema}" FROM "{role}"',
        f'REVOKE ALL ON ALL SEQUENCES IN SCHEMA "{schema}" FROM "{role}"',
        f'REVOKE CREATE ON SCHEMA "{schema}" FROM PUBLIC, "{role}"',
        f'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC, "{role}"',
        f'GRANT CONNECT ON DATABASE "{database}" TO "{role}"',
        f'GRANT USAGE ON SCHEMA "{schema}" TO "{role}"',
        *(f'GRANT {rights} ON "{table}" TO "{role}"' for table in tables() for rights in _rights(table)),
        f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "{schema}" TO "{role}"',
        "COMMIT",
    ]


def tables() -> list[str]:
    models = apps.get_models(include_auto_created=True)
    return sorted({model._meta.db_table for model in models} | {MigrationRecorder.Migration._meta.db_table})


def _rights(table: str) -> list[str]:
    if table in READ_ONLY:
        return ["SELECT"]
    if table not in triggers.IDENTITY:
        return ["SELECT, INSERT, UPDATE, DELETE" if table in DELETED else "SELECT, INSERT, UPDATE"]
    changed = _changed(table)
    return ["SELECT, INSERT", *([f"UPDATE ({', '.join(changed)})"] if changed else [])]


def _changed(table: str) -> list[str]:
    """Columns of a gate table that sealing and erasure set; one such right is also what a row lock needs."""
    if table == Submission._meta.db_table:
        return sorted({*SEALING, *triggers.SUBMISSION_ERASABLE, "erased_at"})
    kept = triggers.RECORDS.get(table)
    erasable = kept.erasable if kept else ()
    return [*erasable, "erased_at"] if erasable else []
