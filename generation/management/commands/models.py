"""`manage.py models`: the catalog as a table, and what an operator does to have a model.

Only `acknowledge` needs the database. Nothing here fetches weights: `show` says how.
"""

from django.core.management.base import BaseCommand, CommandError

from generation import offers
from generation.engine import EngineError, RuleBroken, catalog, weights

PATTERNS = (
    "model_index.json",
    *(f"*/*.{kind}" for kind in ("json", "safetensors", "model", "txt", "jinja")),
    *("LICENSE*", "License*"),
)
ACTS = ("list", "show", "pin", "verify", "acknowledge")


class Command(BaseCommand):
    help = (
        "Lists the models, and whether their weights are on this machine. With a model: show how to get them, pin "
        "them, verify them, or acknowledge the license."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("act", nargs="?", choices=ACTS, default="list")
        parser.add_argument("model", nargs="?", help="a name from the list")
        parser.add_argument("--commit", default="", help="with pin: the commit that the weights are of")
        parser.add_argument(
            "--yes", action="store_true", help="with acknowledge: the license was read and is stood by"
        )

    def handle(self, *, act, model, commit, yes, **options):
        if (act == "list") != (model is None):
            raise CommandError("All but the list are about one model: name it.")
        if commit and act != "pin":
            raise CommandError("Only pinning needs a commit.")
        if act == "list":
            return self._list()
        try:
            model = catalog.get(model)
        except RuleBroken as broken:
            raise CommandError(f"{broken.sentence} `manage.py models` lists them.") from None
        if act in ("pin", "verify") and model.hub is None:
            raise CommandError(f"{model.name} needs no pinning: it ships with sorahub.")
        {"show": self._show, "pin": self._pin, "verify": self._verify, "acknowledge": self._acknowledge}[act](
            model, commit=commit, yes=yes
        )

    def _list(self):
        rows = [("Model", "Pixels", "Seconds", "Frames", "Steps", "Guidance", "License", "Weights", "Memory")]
        usable = catalog.offered()
        rows += [_row(model) for model in catalog.CATALOG.values() if model in usable or not model.hidden]
        widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
        for row in rows:
            line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write(line.rstrip())
        self.stdout.write("")
        for model in usable:
            self.stdout.write(f"{model.id}: {model.summary}")

    def _show(self, model, **told):
        self.stdout.write(f"{model.name}: {model.summary}")
        self.stdout.write(f"Begins with: {', '.join(sorted(model.abilities, reverse=True))}")
        self.stdout.write(f"Needs: {model.memory}")
        self.stdout.write(f"License: {model.license} {model.license.url}".rstrip())
        if model.license.asks:
            self.stdout.write(f"To be acknowledged before it is offered: {model.license.asks}")
        self.stdout.write(f"Weights: {_state(model)}, {model.weights or 'none needed'}")
        if model.hub is None:
            return
        if model.available():
            self.stdout.write(f"Commit: {weights.read_manifest(model.weights).commit or 'not known'}")
            self.stdout.write(f"Revision: {model.revision}")
            return
        include = " ".join(f"--include '{pattern}'" for pattern in PATTERNS)
        self.stdout.write(
            f"To have it here:\n"
            f"  hf download {model.hub.repo} --revision {model.hub.commit} --local-dir {model.weights} "
            f"{include}\n"
            f"  manage.py models pin {model.id}"
        )

    def _pin(self, model, *, commit, **told):
        if not (model.weights / weights.INDEX).is_file():
            raise CommandError(
                f"There are no weights in {model.weights}. `manage.py models show {model.id}` tells how to get them."
            )
        try:
            manifest = weights.pin(model.weights, model.hub, commit=commit)
        except (OSError, ValueError) as error:
            raise CommandError(f"Nothing was pinned. {error}") from None
        size = sum(size for _digest, size in manifest.files.values())
        self.stdout.write(
            f"Pinned {len(manifest.files)} files, {size / 1e9:.1f} GB, commit {manifest.commit or 'not known'}.\n"
            f"Revision {manifest.revision}"
        )
        if model.license.asks:
            self.stdout.write(
                "It is offered once its license is acknowledged: on the program's page, or by acknowledge."
            )

    def _verify(self, model, **told):
        try:
            manifest = weights.verify(model.weights, model.name)
        except EngineError as error:
            raise CommandError(f"{error.sentence} {error.detail}") from None
        self.stdout.write(
            f"{len(manifest.files)} files are those that were pinned. Revision {manifest.revision}"
        )

    def _acknowledge(self, model, *, yes, **told):
        self.stdout.write(f"{model.license}: {model.license.asks}\n{model.license.url}")
        if not yes:
            raise CommandError("Read the license, and say --yes if you stand by it.")
        try:
            offers.acknowledge(model, by=None, shown=offers.digest_of_text(model))
        except offers.NotAcknowledged as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{model.name} can be used now.")


def _row(model: catalog.Model) -> tuple[str, ...]:
    return (
        model.id,
        ", ".join(f"{width}x{height}" for width, height in model.sizes),
        ", ".join(f"{seconds:g}" for seconds in model.durations),
        f"{', '.join(map(str, model.lengths.values()))} at {model.fps:g}/s",
        _limits(model.steps),
        _limits(model.guidance),
        f"{model.license}{' (to be acknowledged)' if model.license.asks else ''}",
        _state(model),
        model.memory,
    )


def _state(model: catalog.Model) -> str:
    if model.available():
        return "here"
    return "not pinned" if (model.weights / weights.INDEX).is_file() else "missing"


def _limits(limits: catalog.Limits) -> str:
    return f"{limits.low:g}-{limits.high:g} ({limits.default:g})"
