"""What every test gets: stores of its own, and a gate that is up before and after it."""

import pytest
from django.core.cache import cache
from django.test import TransactionTestCase

from review import triggers

from . import factories

_flush = TransactionTestCase._fixture_teardown


def _lower_flush_raise(self):
    """The gate refuses to be emptied, so a transactional test's clean-up lowers it and raises it again."""
    triggers.lower_gate()
    _flush(self)
    triggers.raise_gate()


TransactionTestCase._fixture_teardown = _lower_flush_raise


@pytest.fixture(autouse=True)
def places(settings, tmp_path):
    settings.PRIVATE_STORE = tmp_path / "private"
    settings.PUBLIC_STORE = tmp_path / "public"
    cache.clear()  # rate limits would count across tests


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
            visitor.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return visitor

    return _login
