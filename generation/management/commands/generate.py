"""`manage.py generate`: one clip from a prompt into a file, by the engine alone; no database, queue or user."""

import re
import secrets
import tempfile
from contextlib import closing
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from generation.encoding import EncodingError, check_writable, keep_for_good
from generation.engine import Recipe, RuleBroken, catalog, process


class Command(BaseCommand):
    help = "Makes one clip and writes it as MP4; `manage.py models` tells what each model accepts."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("prompt", help="what should be seen")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="where the MP4 goes")
        parser.add_argument("--model", help="a name from `manage.py models`; the first one by default")
        parser.add_argument("--negative-prompt", default="", help="what should not be seen")
        parser.add_argument("--size", metavar="WxH", help="pixels, such as 128x128")
        parser.add_argument("--duration", type=float, help="seconds")
        parser.add_argument("--steps", type=int, help="denoising steps")
        parser.add_argument("--guidance", type=float, help="how closely to follow the prompt")
        parser.add_argument("--seed", type=int, help="the same seed gives the same clip; drawn if not given")

    def handle(self, *, out: Path, **options):
        out = out.resolve()
        if out.is_dir():
            raise CommandError(f"{out} is a folder. Name a file, such as {out / 'clip.mp4'}.")
        try:
            recipe = _recipe(options)
            check_writable(out.parent)
        except RuleBroken as error:
            raise CommandError(error.sentence) from error
        except EncodingError as error:
            raise CommandError(f"{error.sentence} ({out.parent})") from error
        # Beside the target, so that the last move is a rename and leaves no half-written file.
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".generate-") as scratch:
            try:
                done = self._run(recipe, Path(scratch))
            except KeyboardInterrupt:
                raise CommandError("Stopped; nothing was written.", returncode=130) from None
            keep_for_good(done.video, out)
        self.stdout.write(
            f"Wrote {out}: {recipe.width}x{recipe.height}, {done.info['frames']} frames, "
            f"{done.info['duration']:g} s, made in {done.info['seconds']:.1f} s.\n"
            f"Model {recipe.model}, revision {done.info['model_revision'][:12]}, seed {recipe.seed}."
        )

    def _run(self, recipe: Recipe, scratch: Path) -> process.Done:
        engine = process.EngineProcess()
        with closing(engine), closing(engine.run(recipe, scratch)) as events:
            for event in events:
                match event:
                    case process.Loading():
                        self.stdout.write("Loading the model…")
                    case process.Step(step, steps):
                        self.stdout.write(f"Step {step} of {steps}")
                    case process.Encoding():
                        self.stdout.write("Encoding…")
                    case process.Done():
                        return event
                    case process.Failed():
                        raise CommandError("\n".join(filter(None, (event.detail.strip(), event.sentence))))
        raise CommandError("The engine ended without a word.")


def _recipe(options: dict) -> Recipe:
    model = catalog.get(options["model"]) if options["model"] else _default_model()
    recipe = model.recipe(
        options["prompt"],
        negative_prompt=options["negative_prompt"],
        size=_size(options["size"]),
        duration=options["duration"],
        steps=options["steps"],
        guidance=options["guidance"],
        seed=secrets.randbelow(catalog.SEED_LIMIT + 1) if options["seed"] is None else options["seed"],
    )
    catalog.check(recipe)
    return recipe


def _default_model() -> catalog.Model:
    offered = catalog.offered()
    if not offered:
        raise RuleBroken(
            "model", "No model's weights are on this machine. `manage.py models` tells what is missing."
        )
    return offered[0]


def _size(words: str | None) -> tuple[int, int] | None:
    if words is None:
        return None
    found = re.fullmatch(r"(\d{1,5})[x×](\d{1,5})", words.strip())
    if not found:
        raise RuleBroken("size", f"A size is two numbers such as 128x128, not “{words}”.")
    return int(found[1]), int(found[2])
