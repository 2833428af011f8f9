"""Everybody who sends bad input here, watched: whatever they send, no request may end in an error."""

import logging

import pytest
from django.test import Client

pytest.register_assert_rewrite("tests.bad_input.forms")

BACKEND = "accounts.backends.MemberBackend"


class Kept(logging.Handler):
    """What one logger was told at ERROR and above."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.records = []

    def emit(self, record):
        self.records.append(record.getMessage())


@pytest.fixture(autouse=True)
def errors():
    """Whatever a test sends, Django's log of requests holds no error afterwards."""
    kept, requests = Kept(), logging.getLogger("django.request")
    requests.addHandler(kept)
    yield kept.records
    requests.removeHandler(kept)
    assert kept.records == []


@pytest.fixture
def visit():
    """visit(user) gives a browser that sees the 500 page instead of the test's traceback; visit() a stranger's."""

    def _visit(user=None, **kwargs):
        client = Client(raise_request_exception=False, **kwargs)
        if user:
            client.force_login(user, backend=BACKEND)
        return client

    return _visit


@pytest.fixture
def studio(visit, artist):
    return visit(artist)
