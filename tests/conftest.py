"""What every test gets: stores of its own, and a gate that is up before and after it."""

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.test import TransactionTestCase

from generation.queue import claiming
from review import triggers

from . import factories

# Each of these has fixtures for several files.
pytest_plugins = [
    "tests.gate_sql",
    "tests.buckets",
    "tests.world",
    "tests.generation.certificates",
    "tests.generation.manifests",
    "tests.generation.workers",
    "tests.operations.houses",
]
pytest.register_assert_rewrite("tests.generation.claiming")

# Before pytest-django puts the test database's in its place.
CONFIGURED_NAME = settings.DATABASES["default"]["NAME"]
_flush = TransactionTestCase._fixture_teardown


def _lower_flush_raise(self):
    """The gate refuses to be emptied, so a transactional test's clean-up lowers it and raises it again.

    In one transaction: alone, each of hundreds of statements would wait for the disk.
    """
    with transaction.atomic():
        triggers.lower_gate()
        _flush(self)
        triggers.raise_gate()


TransactionTestCase._fixture_teardown = _lower_flush_raise


@pytest.fixture(scope="session")
def uploads(tmp_path_factory):
    """Of this process alone: how many files are opened at once is counted there."""
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(autouse=True)
def places(settings, tmp_path, uploads):
    settings.PRIVATE_STORE = tmp_path / "private"
    settings.PUBLIC_STORE = tmp_path / "public"
    settings.SCRATCH = None
    settings.JOURNAL = tmp_path / "journal"
    settings.FILE_UPLOAD_TEMP_DIR = str(uploads)
    cache.clear()  # rate limits would count across tests


@pytest.fixture(scope="session", autouse=True)
def program_keys():
    """The program's own key pair and anchor, where tests/settings.py says: what a worker needs to sign."""
    from generation import keys

    keys.make("sorahub tests")


@pytest.fixture
def artist(db):
    return factories.member()


@pytest.fixture
def reviewer(db):
    return factories.member("reviewer")


@pytest.fixture
def admin(db):
    return factories.member("admin")


@pytest.fixture
def login(client):
    """login(user) gives a client of that user; login() the anonymous one."""
    from django.test import Client

    def _login(user=None):
        visitor = Client()
        if user:
            visitor.force_login(user, backend="accounts.backends.MemberBackend")
        return visitor

    return _login


@pytest.fixture(scope="session")
def database(django_db_setup, django_db_blocker):
    """The test database, also when no collected test has the mark by which pytest-django knows to make one."""
    from django.db import connection
    from django.test.utils import setup_databases, teardown_databases

    if connection.settings_dict["NAME"] != CONFIGURED_NAME:
        yield  # it is there
        return
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False)
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture(scope="module")
def lasting(database, django_db_blocker, tmp_path_factory):
    """Database and stores for a world that the tests of one module share: built once, undone at the end."""
    from django.test import override_settings

    place = tmp_path_factory.mktemp("lasting")
    stores = override_settings(PRIVATE_STORE=place / "private", PUBLIC_STORE=place / "public")
    with django_db_blocker.unblock(), stores, transaction.atomic():
        yield place
        transaction.set_rollback(True)


@pytest.fixture
def undone(lasting, places, settings):
    """Undoes what one test changes in the lasting world's database."""
    settings.PRIVATE_STORE, settings.PUBLIC_STORE = lasting / "private", lasting / "public"
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def questions_put_anew():
    """A claim's questions are put together once in a process: here once in a test, which may have changed the rules."""
    claiming._questions.cache_clear()
