"""How long the embedded model takes for a clip: the first one with loading, and the next ones on the warm child."""

import json
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from generation.engine import catalog, process

CLIPS = 5
PROMPT = "a red ball drifting over the sea at dusk"


def main() -> None:
    model = catalog.get("embedded")
    engine = process.EngineProcess()
    try:
        first, *others = [
            seconds_for_one(engine, model.recipe(PROMPT, seed=seed)) for seed in range(CLIPS + 1)
        ]
    finally:
        engine.close()
    print(
        json.dumps(
            {
                "seconds for the first clip, with loading": round(first, 3),
                "seconds for a clip, warm, median": round(statistics.median(others), 3),
                "seconds for a clip, warm, slowest": round(max(others), 3),
            }
        )
    )


def seconds_for_one(engine: process.EngineProcess, recipe) -> float:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, closing(engine.run(recipe, Path(folder))) as events:
        for event in events:
            if isinstance(event, process.Failed):
                raise SystemExit(event.sentence + "\n" + event.detail)
    return time.monotonic() - started


if __name__ == "__main__":
    main()
