"""`manage.py models`: the catalog as a table, and whether each model's weights are on this machine."""

from django.core.management.base import BaseCommand

from generation.engine import catalog


class Command(BaseCommand):
    help = "Lists the models: their rules, memory, license, and whether their weights are on this machine."
    requires_system_checks = []

    def handle(self, **options):
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


def _row(model: catalog.Model) -> tuple[str, ...]:
    return (
        model.id,
        ", ".join(f"{width}x{height}" for width, height in model.sizes),
        ", ".join(f"{seconds:g}" for seconds in model.durations),
        f"{', '.join(map(str, model.lengths.values()))} at {model.fps:g}/s",
        _limits(model.steps),
        _limits(model.guidance),
        str(model.license),
        "here" if model.available() else "missing",
        model.memory,
    )


def _limits(limits: catalog.Limits) -> str:
    return f"{limits.low:g}-{limits.high:g} ({limits.default:g})"
