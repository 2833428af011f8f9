"""A bad value stops the start with one sentence that names it; a good one is what its name says."""

import os
import re
import runpy
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from generation.addresses import Bucket

PROJECT = Path(__file__).resolve().parents[1]


def environment(**told) -> dict[str, str]:
    """An environment with nothing of sorahub's in it but what is told."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("SORAHUB_")
        and not name.endswith("_URL")
        and name not in ("DEBUG", "SECRET_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    }
    return kept | {"SECRET_KEY": "s" * 40, "DJANGO_SETTINGS_MODULE": "sorahub.settings"} | told


def start(*options, **told) -> subprocess.CompletedProcess:
    """`manage.py check` with these variables, as an operator's first step."""
    return subprocess.run(
        (sys.executable, "manage.py", "check", *options),
        cwd=PROJECT,
        env=environment(**told),
        capture_output=True,
        text=True,
        timeout=60,
    )


def read(**told) -> ModuleType:
    """The settings as those variables make them, read anew in this process, which is faster."""
    spec = spec_from_file_location("settings_under_test", PROJECT / "sorahub" / "settings.py")
    with patch.dict(os.environ, environment(**told), clear=True):
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name, value", [("SECRET_KEY", "too-short"), ("DATABASE_URL", "nonsense")])
def test_a_bad_value_ends_every_command_with_one_line_and_no_traceback(name, value):
    done = start(**{name: value})
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith(f"sorahub can't start: {name} ")


@pytest.mark.parametrize(
    "name, value",
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "too-short"),
        ("SECRET_KEY_FALLBACKS", f"{'a' * 40},too-short"),
        ("SORAHUB_LOG", "xml"),
        ("SORAHUB_METRICS_TOKEN", "guessable"),
        ("DEBUG", "perhaps"),
        ("SORAHUB_DEMO", "maybe"),
        ("SORAHUB_SITE_URL", "clips.example.org"),
        ("SORAHUB_SITE_URL", "https://"),
        ("SORAHUB_SITE_URL", "ftp://clips.example.org"),
        ("DATABASE_URL", "mysql://a@b/c"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgres://a@b:notaport/c"),
        ("CACHE_URL", "nonsense://x"),
        ("CACHE_URL", "locmemcache://"),
        ("CACHE_URL", "dummycache://"),
        ("BROKER_URL", "nonsense"),
        ("BROKER_URL", "memory://"),
        ("BROKER_URL", "filesystem:///proc/none/broker"),
        ("EMAIL_URL", "nonsense://x"),
        ("STORAGE_URL", "s3://"),
        ("STORAGE_URL", "s3://Not_A_Bucket"),
        ("STORAGE_URL", "s3://bucket/a//b"),
        ("STORAGE_URL", "s3://bucket/../other"),
        ("STORAGE_URL", "s3://bucket?endpoint=minio.example"),
        ("STORAGE_URL", "s3://bucket?endpoint="),
        ("STORAGE_URL", "s3://bucket?regoin=eu-1"),
        ("STORAGE_URL", "s3://[bucket"),
        ("AWS_ACCESS_KEY_ID", "a-key-without-its-secret"),
        ("SORAHUB_SCRATCH", "relative"),
        ("SORAHUB_WEIGHTS", "relative"),
        ("SORAHUB_WEIGHTS", "/nowhere/at/all"),
        ("SORAHUB_C2PA_KEY", "relative/key.pem"),
        ("SORAHUB_C2PA_CERTIFICATES", "none"),
        ("SORAHUB_C2PA_ANCHORS", "relative/anchors.pem"),
        ("STORAGE_URL", "/srv/private"),
        ("STORAGE_URL", "file://relative/private"),
        ("PUBLIC_STORAGE_URL", "http://x"),
        ("SORAHUB_ACCEL_PREFIX", "internal"),
        ("SORAHUB_TIME_ZONE", "Mars/Olympus"),
        ("SORAHUB_INVITATION_DAYS", "soon"),
        ("SORAHUB_INVITATION_DAYS", "0"),
        ("SORAHUB_INVITATION_DAYS", "99999999999"),
        ("SORAHUB_MAX_RUNNING", "-1"),
        ("SORAHUB_MAX_QUEUED", "1.5"),
        ("SORAHUB_LEASE_SECONDS", "1"),
        ("SORAHUB_LEASE_SECONDS", "nan"),
        ("SORAHUB_LOOK_SECONDS", "0"),
        ("SORAHUB_CLAIM_MINUTES", ""),
        ("SORAHUB_AV1", "maybe"),
        ("SORAHUB_COMPILE", "fast"),
        ("SORAHUB_STEP_CACHE", "1"),
        ("SORAHUB_STEP_CACHE", "nan"),
        ("SORAHUB_STEP_CACHE", "-0.1"),
        ("SORAHUB_REVIEW_HOURS", "x"),
        ("SORAHUB_FLAG_SCORE", "0"),
        ("SORAHUB_FLAG_SCORE", "1.5"),
        ("SORAHUB_FLAG_SCORE", "nan"),
        ("SORAHUB_FLAG_HOURS", "-1"),
        ("SORAHUB_SCREEN_PICTURES", "often"),
    ],
)
def test_a_bad_value_stops_the_start_with_one_sentence_that_names_it(name, value):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(**{name: value})
    sentence = str(refusal.value)
    assert sentence.startswith(f"{name} ")
    assert sentence.endswith(".")
    assert "\n" not in sentence


@pytest.mark.parametrize(
    "name, value",
    [("DEBUG", "1"), ("SORAHUB_DEMO", "1"), ("SORAHUB_REQUIRE_MFA", "0"), ("ALLOWED_HOSTS", "a.example,*")],
)
def test_what_is_for_a_laptop_alone_does_not_start_where_strangers_come(name, value):
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(**{"SORAHUB_SITE_URL": "https://clips.example.org", name: value})
    assert str(refusal.value).startswith(f"{name} is ")
    read(**{"SORAHUB_SITE_URL": "https://localhost:8443", name: value})  # a rehearsal on one's own machine


C2PA = ("KEY", "CERTIFICATES", "ANCHORS")
PRODUCTION = {
    "SECRET_KEY": "v1s-Qk8zT3m0-pY7wXc5R2u9LbE4hJ6nA1dGfSoKiZtMqWeU0x3Dv",
    "ALLOWED_HOSTS": "clips.example.org,127.0.0.1",
    "SORAHUB_SITE_URL": "https://clips.example.org",
    "DATABASE_URL": "postgres://sorahub@127.0.0.1:5432/sorahub",
    "SORAHUB_TRUSTED_PROXIES": "1",
    "SORAHUB_ACCEL_PREFIX": "/internal",
}


def keys() -> dict[str, str]:
    """Where the tests' own key for C2PA lies."""
    return {f"SORAHUB_C2PA_{name}": str(getattr(settings, f"C2PA_{name}")) for name in C2PA}


def test_djangos_own_check_of_a_deployment_finds_nothing():
    done = start("--deploy", "--fail-level", "INFO", **PRODUCTION, **keys())
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout == "System check identified no issues (0 silenced).\n"


def test_the_example_of_a_production_environment_is_complete_and_clean():
    """What the operator must fill in is marked; the rest starts as it stands."""
    lines = (PROJECT / "deploy" / "production.env.example").read_text().splitlines()
    told = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    marked = {name for name, value in told.items() if "CHANGE-ME" in value}
    assert {"SECRET_KEY", "DATABASE_URL", "SORAHUB_METRICS_TOKEN"} <= marked
    filled = {
        name: value.replace("CHANGE-ME", "v1s-Qk8zT3m0pY7wXc5R2u9LbE4hJ6nA1dGfSoKiZtMqWeU0x3Dv")
        for name, value in told.items()
    }
    done = start("--deploy", "--fail-level", "INFO", **filled, **keys())
    assert (done.returncode, done.stderr) == (0, ""), done.stderr


def test_without_a_secret_key_nothing_starts(tmp_path):
    """Read from a folder of its own, where no .env completes the environment."""
    copy = tmp_path / "sorahub" / "settings.py"
    copy.parent.mkdir()
    copy.write_text((PROJECT / "sorahub" / "settings.py").read_text())
    told = environment()
    del told["SECRET_KEY"]
    with patch.dict(os.environ, told, clear=True), pytest.raises(ImproperlyConfigured) as refusal:
        runpy.run_path(str(copy))
    assert str(refusal.value) == "SECRET_KEY is not set; .env.example says what it is for."


def test_a_password_in_a_bad_url_is_not_told():
    for name, value in (
        ("DATABASE_URL", "postgres://me:hunter2@host:notaport/db"),
        ("CACHE_URL", "nonsense://me:hunter2@host"),
        ("EMAIL_URL", "nonsense://me:hunter2@host"),
        ("BROKER_URL", "nonsense://me:hunter2@host"),
        ("STORAGE_URL", "s3://me:hunter2@bucket"),
        ("STORAGE_URL", "s3://bucket?password=hunter2"),
    ):
        with pytest.raises(ImproperlyConfigured) as refusal:
            read(**{name: value})
        assert "hunter2" not in str(refusal.value), name


def test_env_example_lists_every_setting_and_no_other():
    """Read from the code: whatever asks the environment for a name in capitals."""
    asks = re.compile(r"""(?:setting|positive|share|env\.\w+|environ\.get)\(\s*["']([A-Z][A-Z_]+)["']""")
    code = [
        path
        for app in ("accounts", "generation", "review", "sorahub")
        for path in (PROJECT / app).rglob("*.py")
    ]
    asked = {name for path in code for name in asks.findall(path.read_text())}
    listed = re.findall(r"^#?([A-Z][A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(
        asked - {"PORT", "PATH_INFO", "CUDA_VISIBLE_DEVICES"}
    )  # make's, WSGI's, CUDA's


def test_what_env_example_says_is_accepted():
    example = PROJECT / ".env.example"
    if not example.exists():
        pytest.skip("there is no .env.example")
    told = {}
    for line in example.read_text().splitlines():
        name, separator, value = line.lstrip("# ").partition("=")
        if separator and name.isupper() and " " not in name and value.strip():
            told[name] = value.strip().strip("\"'")
    told["SECRET_KEY"] = "s" * 40
    read(**told)


def test_a_start_with_nothing_but_a_key_is_complete():
    done = start()
    assert done.returncode == 0, done.stderr
    assert done.stdout == "System check identified no issues (0 silenced).\n"


def test_good_values_are_what_their_names_say(tmp_path):
    told = read(
        DATABASE_URL="postgres://me:p%40ss@db.example:5433/sorahub",
        CACHE_URL="redis://127.0.0.1:6379/3",
        BROKER_URL=f"filesystem://{tmp_path}/messages",
        EMAIL_URL="smtp+tls://me:pass@mail.example:587",
        STORAGE_URL="file:///srv/sorahub/private",
        SORAHUB_SITE_URL="https://clips.example.org/",
        SORAHUB_TIME_ZONE="Europe/Berlin",
        SORAHUB_ACCEL_PREFIX="/internal/",
        SORAHUB_LEASE_SECONDS="7",
        SORAHUB_METRICS_TOKEN="m" * 24,
        SECRET_KEY_FALLBACKS=f"{'a' * 40},{'b' * 40}",
        DEBUG="off",
    )
    database = told.DATABASES["default"]
    assert [database[name] for name in ("HOST", "PORT", "NAME", "PASSWORD")] == [
        "db.example",
        5433,
        "sorahub",
        "p@ss",
    ]
    assert told.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"] == f"{tmp_path}/messages"
    assert Path(tmp_path, "messages").is_dir()
    assert (told.EMAIL_HOST, told.EMAIL_USE_TLS) == ("mail.example", True)
    assert told.PRIVATE_STORE == Path("/srv/sorahub/private")
    assert (told.SITE_URL, told.ACCEL_PREFIX) == ("https://clips.example.org", "/internal")
    assert (told.DEMO, told.DEBUG, told.LEASE.total_seconds()) == (False, False, 7)
    assert (told.SECRET_KEY_FALLBACKS, told.LOG) == (["a" * 40, "b" * 40], "json")
    assert told.SESSION_COOKIE_SECURE
    assert told.CSRF_COOKIE_SECURE
    assert told.SECURE_SSL_REDIRECT
    assert told.SECURE_HSTS_SECONDS >= 31_536_000


def test_a_bucket_is_read_from_its_address():
    told = read(
        STORAGE_URL="s3://clips/private/?endpoint=https://s3.example.org:9000/&region=eu-1",
        PUBLIC_STORAGE_URL="s3://clips/public",
        SORAHUB_SCRATCH="/var/tmp/sorahub",
    )
    assert told.PRIVATE_STORE == Bucket("clips", "private", "https://s3.example.org:9000", "eu-1")
    assert told.PUBLIC_STORE == Bucket("clips", "public")
    assert Path("/var/tmp/sorahub") == told.SCRATCH


@pytest.mark.parametrize(
    "private, public",
    [
        ("file:///srv/files", "file:///srv/files"),
        ("file:///srv/files", "file:///srv/files/public"),
        ("s3://clips", "s3://clips/public"),
        ("s3://clips/files/public", "s3://clips/files"),
        ("s3://clips?region=eu-1", "s3://clips"),
    ],
)
def test_two_stores_are_two_places(private, public):
    """Each one's sweep would take the other's files for orphans."""
    with pytest.raises(ImproperlyConfigured, match="must be two places, neither inside the other"):
        read(STORAGE_URL=private, PUBLIC_STORAGE_URL=public)
    read(STORAGE_URL="s3://clips/a", PUBLIC_STORAGE_URL="s3://clips/ab")
    read(STORAGE_URL="s3://clips", PUBLIC_STORAGE_URL="s3://clips?endpoint=https://elsewhere.example")


def test_sqlite_takes_turns_instead_of_failing_half_way():
    options = read(DATABASE_URL="sqlite:////tmp/x.sqlite3").DATABASES["default"]["OPTIONS"]
    assert (options["transaction_mode"], options["timeout"]) == ("IMMEDIATE", 20)
    assert "journal_mode=WAL" in options["init_command"]
