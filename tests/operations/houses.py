"""Empty places to restore onto, and the commands as an operator gives them."""

import io
import itertools
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import connection

from sorahub.backup import marker

_numbers = itertools.count(1)


def manage(command: str, *arguments, **options) -> str:
    said = io.StringIO()
    call_command(command, *map(str, arguments), stdout=said, stderr=said, **options)
    return said.getvalue()


@pytest.fixture
def empty_house(transactional_db, settings, tmp_path, monkeypatch):
    """empty_house() moves to an empty database and empty stores, as after a fire; the journal lies elsewhere.

    empty_house(files=True) lost its database alone.
    """
    monkeypatch.setattr(marker, "LOOK_EVERY", -1.0)  # nobody is being served here, so nobody is waited for
    before, made = connection.settings_dict["NAME"], []

    def _empty_house(*, files=False):
        name = f"restored_{next(_numbers)}"
        if not files:
            settings.PRIVATE_STORE = tmp_path / name / "private"
            settings.PUBLIC_STORE = tmp_path / name / "public"
        connection.close()
        if connection.vendor == "postgresql":
            name = f"{before}_{name}"
            _as_admin(f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}"')
            made.append(name)
        connection.settings_dict["NAME"] = name if made else str(tmp_path / f"{name}.sqlite3")
        return SimpleNamespace(private=settings.PRIVATE_STORE, public=settings.PUBLIC_STORE)

    yield _empty_house
    connection.close()
    connection.settings_dict["NAME"] = before
    for name in made:
        _as_admin(f'DROP DATABASE "{name}" WITH (FORCE)')


def _as_admin(*statements: str) -> None:
    with connection._nodb_cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def files_under(root) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
