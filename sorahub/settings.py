"""All of sorahub's settings, from the environment and from `.env` beside manage.py; a bad value stops the start."""

import hashlib
import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured

from generation import addresses
from generation.decoding.bounds import VIDEO_BYTES

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env")  # never overrides what the environment already says

# What an installation keeps: on a laptop all of it (database, files, broker, cache), on a server little.
VAR = Path(env.str("SORAHUB_VAR", default="") or BASE_DIR / "var")
if VAR.parent == BASE_DIR and os.access(BASE_DIR, os.W_OK):
    VAR.mkdir(exist_ok=True)


def setting(name: str, kind=str, **default):
    """Reads one variable, and turns whatever is wrong with it into a sentence that names it."""
    try:
        return _flag(name, **default) if kind is bool else getattr(env, kind.__name__)(name, **default)
    except ImproperlyConfigured:
        raise ImproperlyConfigured(f"{name} is not set; .env.example says what it is for.") from None
    except (ValueError, TypeError):
        raise ImproperlyConfigured(f"{name} is {env.str(name)!r}, which is not {_KINDS[kind]}.") from None


def _flag(name: str, default: bool) -> bool:
    """environ's own takes every word that it doesn't know for a no, and a mistyped yes must not switch off a lock."""
    text = env.str(name, default="").strip().lower()
    if text and text not in (*env.BOOLEAN_TRUE_STRINGS, "0", "false", "no", "n", "off"):
        raise ValueError(text)
    return text in env.BOOLEAN_TRUE_STRINGS if text else default


_KINDS = {bool: "yes or no (1 or 0)", int: "a whole number", float: "a number", list: "a list", str: "text"}


def positive(name: str, default: int, *, least: int = 1) -> int:
    value = setting(name, int, default=default)
    if not least <= value < 10**6:
        raise ImproperlyConfigured(f"{name} is {value}, and must be from {least} to 999999.")
    return value


def url_setting(name: str, read, default: str):
    value = env.str(name, default=default)
    try:
        return read(name, default=default)
    except Exception as error:  # each scheme's parser raises its own kind of error
        scheme = urlsplit(value).scheme or "no scheme"
        reason = str(error).rstrip(".")
        raise ImproperlyConfigured(f"{name} can't be read ({scheme}): {reason}.") from None


def place_setting(name: str, default: Path) -> addresses.Place:
    try:
        return addresses.place(setting(name, default=f"file://{default}"))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} {error}") from None


def _is_this_machine(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.") or host.endswith(".localhost")


# --- The site ------------------------------------------------------------------------------------

DEBUG = setting("DEBUG", bool, default=False)
SECRET_KEY = setting("SECRET_KEY")
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY is too short: it needs 32 characters or more.")
# While a key is being changed, what the old ones signed or locked still counts: sessions, links, second factors.
SECRET_KEY_FALLBACKS = setting("SECRET_KEY_FALLBACKS", list, default=[])
if any(len(key) < 32 for key in SECRET_KEY_FALLBACKS):
    raise ImproperlyConfigured("SECRET_KEY_FALLBACKS holds a key that is shorter than 32 characters.")
# Writes and reads the invisible marks. Change it, and no mark that was made before is ever read again: where SECRET_KEY
# is changed, this one keeps the old.
MARK_KEY = hashlib.sha256(
    b"sorahub marks " + (setting("SORAHUB_MARK_KEY", default="") or SECRET_KEY).encode()
).digest()
ALLOWED_HOSTS = setting("ALLOWED_HOSTS", list, default=["127.0.0.1", "localhost", "[::1]"])
SITE_URL = setting("SORAHUB_SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
if urlsplit(SITE_URL).scheme not in ("http", "https") or not urlsplit(SITE_URL).hostname:
    raise ImproperlyConfigured(
        f"SORAHUB_SITE_URL is {SITE_URL!r}, and must be like https://clips.example.org."
    )
HTTPS = SITE_URL.startswith("https://")
DEMO = setting("SORAHUB_DEMO", bool, default=False)
CSRF_TRUSTED_ORIGINS = [SITE_URL] if HTTPS else []
# Strangers come to a site with https:// and a name of its own; what is for a laptop alone must not be on there.
IS_PUBLIC = HTTPS and not _is_this_machine(urlsplit(SITE_URL).hostname)
for _name, _is_on in (
    ("DEBUG", DEBUG),
    ("SORAHUB_DEMO", DEMO),
    ("ALLOWED_HOSTS", "*" in ALLOWED_HOSTS),
):
    if IS_PUBLIC and _is_on:
        raise ImproperlyConfigured(
            f"{_name} is {env.str(_name)!r}, which is not for a public site ({SITE_URL})."
        )

INSTALLED_APPS = [
    "accounts",
    "generation",
    "review",
    "sorahub",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
]

MIDDLEWARE = [
    "sorahub.access.AccessMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.LoginRequiredMiddleware",
    "accounts.middleware.KeptOutMiddleware",
    "accounts.middleware.SecondFactorMiddleware",
    "accounts.middleware.LastSeenMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "sorahub.urls"
WSGI_APPLICATION = "sorahub.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.permissions.nav",
            ],
        },
    }
]

# --- Database, cache, broker -----------------------------------------------------------------------

if urlsplit(env.str("DATABASE_URL", default="sqlite:")).scheme not in ("sqlite", "postgres", "postgresql"):
    raise ImproperlyConfigured(
        "DATABASE_URL must begin with sqlite:// or postgres://; the gate knows no other."
    )
DATABASES = {"default": url_setting("DATABASE_URL", env.db_url, f"sqlite:///{VAR / 'sorahub.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # IMMEDIATE: a transaction that reads and then writes takes its turn instead of failing half-way.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # PostgreSQL plans a question that comes again once: on the busy pages, planning takes longer than answering.
    DATABASES["default"].setdefault("OPTIONS", {}).update(server_side_binding=True, prepare_threshold=3)

# A connection outlives its request: opening one takes longer than most pages ask, on SQLite too, which reads its
# whole schema first.
DATABASES["default"]["CONN_MAX_AGE"] = 60

# Shared by processes, never in one process's memory: rate limits must count across all of them.
CACHES = {"default": url_setting("CACHE_URL", env.cache_url, f"filecache://{VAR / 'cache'}")}
if CACHES["default"].get("BACKEND", "").rpartition(".")[2] in ("", "LocMemCache", "DummyCache"):
    raise ImproperlyConfigured(
        "CACHE_URL must be shared by all processes, like filecache:///folder or redis://host:6379/1."
    )

CELERY_BROKER_URL = setting("BROKER_URL", default="filesystem://")
if urlsplit(CELERY_BROKER_URL).scheme not in ("filesystem", "redis", "rediss", "amqp", "amqps"):
    raise ImproperlyConfigured(
        "BROKER_URL must begin with filesystem://, redis://, rediss://, amqp:// or amqps://."
    )
if urlsplit(CELERY_BROKER_URL).scheme == "filesystem":
    # One folder serves both directions; kombu deletes a message on reading, which the Job's row makes harmless.
    _broker = Path(urlsplit(CELERY_BROKER_URL).path or VAR / "broker")
    CELERY_BROKER_URL = "filesystem://"
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(_broker),
        "data_folder_out": str(_broker),
        "control_folder": f"{_broker}-control",
    }
    try:
        for _folder in (_broker, Path(f"{_broker}-control")):
            _folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"BROKER_URL needs the folder {_broker}: {error.strerror}.") from None
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2  # seconds: a click must not wait for a broker that is away
CELERY_TASK_DEFAULT_QUEUE = "desk"
CELERY_WORKER_DIRECT = True  # each worker also hears what is said to it alone
CELERY_TASK_ROUTES = {"generation.tasks.*": {"queue": "engine"}}
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    "invitations": {
        "task": "accounts.tasks.send_invitations",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 50},  # seconds: none piles up while no worker is there
    },
    "fingerprint": {
        "task": "review.tasks.fingerprint",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 50},
    },
    "follow_up": {
        "task": "review.tasks.follow_up",
        "schedule": timedelta(minutes=10),
        "options": {"expires": 500},
    },
    "sweep": {"task": "review.tasks.sweep", "schedule": timedelta(minutes=10)},
    "reread": {"task": "review.tasks.sweep", "schedule": timedelta(days=1), "kwargs": {"reread": True}},
    "tidy": {"task": "sorahub.tasks.tidy", "schedule": timedelta(days=1)},
}

# --- Files: two stores, neither reachable by the web server alone ------------------------------------

PRIVATE_STORE = place_setting("STORAGE_URL", VAR / "private")
PUBLIC_STORE = place_setting("PUBLIC_STORAGE_URL", VAR / "public")
JOURNAL = place_setting("SORAHUB_JOURNAL_URL", VAR / "journal")  # outlasts the database and both stores
if addresses.overlap(JOURNAL, PRIVATE_STORE) or addresses.overlap(JOURNAL, PUBLIC_STORE):
    raise ImproperlyConfigured("SORAHUB_JOURNAL_URL must be a place outside of both stores.")
if addresses.overlap(PRIVATE_STORE, PUBLIC_STORE):
    raise ImproperlyConfigured(
        "STORAGE_URL and PUBLIC_STORAGE_URL must be two places, neither inside the other."
    )
if bool(env.str("AWS_ACCESS_KEY_ID", default="")) != bool(env.str("AWS_SECRET_ACCESS_KEY", default="")):
    raise ImproperlyConfigured("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY go together, and one is missing.")
SCRATCH = setting("SORAHUB_SCRATCH", default="")  # a folder of this machine for clips in the making
SCRATCH = Path(SCRATCH) if SCRATCH else None
if SCRATCH and not SCRATCH.is_absolute():
    raise ImproperlyConfigured(
        f"SORAHUB_SCRATCH is {str(SCRATCH)!r}, and must be a folder like /var/tmp/sorahub."
    )
WEIGHTS = setting("SORAHUB_WEIGHTS", default="")  # the engine's catalog reads it too, without Django
if WEIGHTS and not (Path(WEIGHTS).is_absolute() and Path(WEIGHTS).is_dir()):
    raise ImproperlyConfigured(f"SORAHUB_WEIGHTS is {WEIGHTS!r}, and must be a folder like /srv/weights.")
# Where the program's key and anchors for C2PA lie. Their content is read where it is needed: a web process never holds
# the private key. A fresh installation has none yet; `manage.py check --deploy` misses them.
C2PA_KEY, C2PA_CERTIFICATES, C2PA_ANCHORS = (
    Path(setting(f"SORAHUB_C2PA_{name.upper()}", default="") or VAR / "provenance" / f"{name}.pem")
    for name in ("key", "certificates", "anchors")
)
if C2PA_KEY == Path("none"):  # on a machine where nothing is signed
    C2PA_KEY = None
for _name, _path in (("KEY", C2PA_KEY), ("CERTIFICATES", C2PA_CERTIFICATES), ("ANCHORS", C2PA_ANCHORS)):
    if _path and not _path.is_absolute():
        raise ImproperlyConfigured(
            f"SORAHUB_C2PA_{_name} is {str(_path)!r}, and must be like /etc/sorahub/provenance/{_name.lower()}.pem."
        )
ACCEL_PREFIX = setting("SORAHUB_ACCEL_PREFIX", default="").rstrip("/")  # nginx's internal location
if ACCEL_PREFIX and not ACCEL_PREFIX.startswith("/"):
    raise ImproperlyConfigured(f"SORAHUB_ACCEL_PREFIX is {ACCEL_PREFIX!r}, and must begin with a slash.")
STATIC_URL = "/static/"
STATIC_ROOT = Path(setting("SORAHUB_STATIC_ROOT", default=str(VAR / "static")))
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEMO or DEBUG
WHITENOISE_MANIFEST_STRICT = False  # a page without its style beats no page
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is uploaded through it
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- People ------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
SESSION_ENGINE = "accounts.sessions"
AUTHENTICATION_BACKENDS = ["accounts.backends.MemberBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in {
        "UserAttributeSimilarityValidator": {"user_attributes": ("email", "name")},
        "MinimumLengthValidator": {},
        "CommonPasswordValidator": {},
        "NumericPasswordValidator": {},
    }.items()
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapter.InvitationOnlyAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # else anyone could have us write to anybody
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "gallery"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True  # whoever changes a password or a factor, its owner hears of it
ACCOUNT_REAUTHENTICATION_TIMEOUT = 60 * positive("SORAHUB_CONFIRM_MINUTES", 5)  # seconds that one proof holds
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_TOLERANCE = 1  # steps of 30 s that a clock may be off, or a hand slow
# allauth would refuse factors to whoever adds a second address; by the invitation every member has one that is theirs.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "authenticate": "accounts.factor_forms.CodeForm",
    "reauthenticate": "accounts.factor_forms.ConfirmCodeForm",
    "authenticate_webauthn": "accounts.factor_forms.UsePasskeyForm",
    "reauthenticate_webauthn": "accounts.factor_forms.ConfirmPasskeyForm",
    "login_webauthn": "accounts.factor_forms.PasskeyAloneForm",
    "add_webauthn": "accounts.factor_forms.AddPasskeyForm",
    "edit_webauthn": "accounts.factor_forms.RenamePasskeyForm",
}
MFA_ADAPTER = "accounts.adapter.FactorAdapter"
# Reviewers and admins need a second factor, and acts on people ask again who is there. Off in the demo alone.
REQUIRE_MFA = setting("SORAHUB_REQUIRE_MFA", bool, default=not DEMO)
if IS_PUBLIC and not REQUIRE_MFA:
    raise ImproperlyConfigured(f"SORAHUB_REQUIRE_MFA is off, which is not for a public site ({SITE_URL}).")
# Rate limits count by address: behind proxies, the one that this many of them handed on.
ALLAUTH_TRUSTED_PROXY_COUNT = setting("SORAHUB_TRUSTED_PROXIES", int, default=0)
ACCOUNT_RATE_LIMITS = {  # beside allauth's own, for logins and the like
    "accept_invitation": "60/5m/ip,10/5m/key",
    "test_mail": "5/m/user",
    "verify": f"{positive('SORAHUB_VERIFY_PER_HOUR', 60)}/h/ip",
    "prompt": f"{positive('SORAHUB_PROMPTS_PER_MINUTE', 30)}/m/user",
    "picture": f"{positive('SORAHUB_PICTURES_PER_MINUTE', 20)}/m/user",
}
PASSWORD_RESET_TIMEOUT = 24 * 3600

EMAIL_CONFIG = url_setting("EMAIL_URL", env.email_url, "consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 20  # seconds: a mail server that says nothing must not hold a worker for ever
DEFAULT_FROM_EMAIL = setting("SORAHUB_FROM_EMAIL", default="sorahub <sorahub@localhost>")

# --- The program's numbers -----------------------------------------------------------------------------

INVITATION_LIFETIME = timedelta(days=positive("SORAHUB_INVITATION_DAYS", 14))
MAX_RUNNING = positive("SORAHUB_MAX_RUNNING", 1)  # jobs of one member at once
PICTURE_MB = positive("SORAHUB_PICTURE_MB", 12)  # of an upload that a take begins with
if PICTURE_MB > 30:  # generation.decoding reads no more
    raise ImproperlyConfigured(f"SORAHUB_PICTURE_MB is {PICTURE_MB}, and must be at most 30.")
MAX_QUEUED = positive("SORAHUB_MAX_QUEUED", 20)  # jobs of one member waiting
LEASE = timedelta(seconds=positive("SORAHUB_LEASE_SECONDS", 10, least=3))  # it is renewed about once a second
LOOK_EVERY = positive("SORAHUB_LOOK_SECONDS", 3)  # a worker looks for work by itself this often
WORKER_MODELS = setting(
    "SORAHUB_WORKER_MODELS", list, default=[]
)  # what workers here run; [] is all that fits
setting("SORAHUB_COMPILE", bool, default=False)  # read by the engine's child, which knows no Django
if not 0 <= setting("SORAHUB_STEP_CACHE", float, default=0.0) < 1:
    raise ImproperlyConfigured("SORAHUB_STEP_CACHE must be from 0 (off) to below 1, such as 0.1.")
AV1 = setting(
    "SORAHUB_AV1", bool, default=False
)  # each video in this format as well: smaller, slower to make
KEEP_NOTICES = timedelta(days=positive("SORAHUB_KEEP_NOTICES_DAYS", 180))
CLAIM_LIFETIME = timedelta(minutes=positive("SORAHUB_CLAIM_MINUTES", 5))  # after the last sign of life
VISIBLE_MARK = setting(
    "SORAHUB_VISIBLE_MARK", bool, default=True
)  # "AI-generated", in the picture of public files
REVIEW_DEADLINE = timedelta(hours=positive("SORAHUB_REVIEW_HOURS", 48))
SECOND_LOOK = setting("SORAHUB_SECOND_LOOK", float, default=0.05)  # share of decisions; 0 is none
if not 0 <= SECOND_LOOK <= 1:
    raise ImproperlyConfigured("SORAHUB_SECOND_LOOK must be from 0 (none) to 1 (all), such as 0.05.")

# Files held against the program's clips: their size, and how many one machine opens at once.
VERIFY_BYTES = 1024 * 1024 * positive("SORAHUB_VERIFY_MB", 100)
if VERIFY_BYTES > VIDEO_BYTES:
    raise ImproperlyConfigured(
        f"SORAHUB_VERIFY_MB is {VERIFY_BYTES // 1024**2}, and more than {VIDEO_BYTES // 1024**2} are never opened."
    )
VERIFY_AT_ONCE = positive("SORAHUB_VERIFY_AT_ONCE", 2)

# --- The browser's side ----------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "media-src": ["'self'"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from inside, without TLS
# A prompt is text: anything near this size is a mistake or an attack.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

LANGUAGE_CODE = "en-us"
LANGUAGES = [("en", "English")]
USE_I18N = True
FORMAT_MODULE_PATH = "sorahub.formats"
TIME_ZONE = setting("SORAHUB_TIME_ZONE", default="UTC")
if TIME_ZONE not in available_timezones():
    raise ImproperlyConfigured(f"SORAHUB_TIME_ZONE is {TIME_ZONE!r}, and must be like Europe/Berlin.")
USE_TZ = True

# --- What operators see --------------------------------------------------------------------------------

METRICS_TOKEN = setting("SORAHUB_METRICS_TOKEN", default="")
if METRICS_TOKEN and (len(METRICS_TOKEN) < 24 or not METRICS_TOKEN.isascii()):
    raise ImproperlyConfigured("SORAHUB_METRICS_TOKEN is too short: it needs 24 plain characters or more.")
LOG = setting("SORAHUB_LOG", default="plain" if DEMO or DEBUG else "json")
if LOG not in ("plain", "json"):
    raise ImproperlyConfigured(f"SORAHUB_LOG is {LOG!r}, and must be json or plain.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "sorahub.logs.Plain",
            "format": "{asctime} {levelname} {name} {message}",
            "style": "{",
        },
        "json": {"()": "sorahub.logs.Json"},
    },
    "filters": {"without_keys": {"()": "sorahub.logs.WithoutKeys"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG, "filters": ["without_keys"]}
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Django's own handlers would mail or print whole requests; ids are all that a log may hold.
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
        # What was not found or not allowed has its line in sorahub.access already.
        "django.request": {"level": "ERROR"},
        # A line for each request: on a laptop's terminal they would hide the rest.
        "sorahub.access": {"level": "WARNING" if DEMO else "INFO"},
    },
}
