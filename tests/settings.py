"""Settings for tests: the product's own, on throw-away places.

DATABASE_URL, BROKER_URL and CACHE_URL from the environment put the same suite on PostgreSQL and Redis. Where
pytest-xdist spreads it over several processes, each of them has places of its own.
"""

import os
import tempfile
from pathlib import Path

PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "gw0")  # gw0, gw1 and so on
PLACE = Path(tempfile.mkdtemp(prefix="sorahub-tests-"))


def own(url: str) -> str:
    """Each process goes two databases further on in Redis: one for its broker, one for its cache."""
    number = int(PROCESS.removeprefix("gw"))
    if not number or url.startswith("file"):
        return url
    server, _, database = url.rpartition("/")
    if not url.startswith("redis") or not database.isdigit():
        raise RuntimeError("Several processes need a Redis with its database's number; say PROCESSES=0.")
    return f"{server}/{int(database) + 2 * number}"


os.environ |= {
    "SECRET_KEY": "tests-only-and-long-enough-to-be-accepted",
    "DEBUG": "0",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "SORAHUB_SITE_URL": "http://testserver",
    "SORAHUB_DEMO": "0",
    "SORAHUB_REQUIRE_MFA": "0",
    "SORAHUB_TESTCARD": "1",
    "SORAHUB_SECOND_LOOK": "0",  # else chance would close some rooms to some reviewers
    "SORAHUB_ACCEL_PREFIX": "",
    "SORAHUB_SCRATCH": "",
    "SORAHUB_C2PA_KEY": f"{PLACE}/provenance/key.pem",
    "SORAHUB_C2PA_CERTIFICATES": f"{PLACE}/provenance/certificates.pem",
    "SORAHUB_C2PA_ANCHORS": f"{PLACE}/provenance/anchors.pem",
    "SORAHUB_JOURNAL_URL": f"file://{PLACE}/journal",
    "STORAGE_URL": f"file://{PLACE}/private",
    "PUBLIC_STORAGE_URL": f"file://{PLACE}/public",
    "EMAIL_URL": "memorymail://",
    "PGOPTIONS": "-c synchronous_commit=off",  # no test pulls the plug, so none waits for the disk
}
os.environ.setdefault("DATABASE_URL", f"sqlite:///{PLACE}/sorahub.sqlite3")
os.environ.setdefault("BROKER_URL", "filesystem://")
if os.environ.get("CACHE_URL", "filecache:").startswith("filecache:"):
    # A folder that is told already is that of the process which started this one.
    os.environ["CACHE_URL"] = f"filecache://{PLACE}/cache"
for name in ("BROKER_URL", "CACHE_URL"):
    os.environ[name] = own(os.environ[name])

from sorahub.settings import *  # noqa: E402, F403
from sorahub.settings import CELERY_BROKER_URL, DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: threads and worker processes of the tests meet in it.
    DATABASES["default"]["TEST"] = {"NAME": f"{PLACE}/test.sqlite3"}
if CELERY_BROKER_URL.startswith("filesystem://"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": f"{PLACE}/broker",
        "data_folder_out": f"{PLACE}/broker",
        "control_folder": f"{PLACE}/broker-control",
    }
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
