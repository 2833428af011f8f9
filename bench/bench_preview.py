"""What pictures of a forming clip cost its denoising: pairs of runs with and without, interleaved, on one warm model.

The time runs from the first step's end to the last one's, as the child tells steps. Half of the pairs begin with
the run that draws, so that a machine which slows down favors neither.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from generation.engine import catalog, child
from generation.engine.diffusion import Diffusion

PAIRS = 12
PROMPT = "a red ball drifting over the sea at dusk"


def main() -> None:
    engine = Diffusion(catalog.EMBEDDED)
    figures = {}
    for steps in (int(catalog.EMBEDDED.steps.default), int(catalog.EMBEDDED.steps.high)):
        seconds_for_one(engine, steps, child.steps_told(lambda **_: None))  # warm
        pairs, shares, pictures = [], [], 0
        for number in range(PAIRS):
            told: list[dict] = []
            ways = {
                "with": child.steps_told(lambda told=told, **message: told.append(message)),
                "without": lambda step, steps, draw: None,
            }
            order = sorted(ways, reverse=number % 2 == 0)
            took = {way: seconds_for_one(engine, steps, ways[way]) for way in order}
            pairs.append(took["with"][0] / took["without"][0])
            shares.append(took["with"][1] / took["with"][0])
            pictures = max(pictures, sum(message["event"] == "preview" for message in told))
        figures |= {
            f"denoising with / without, {steps} steps, median": round(statistics.median(pairs), 4),
            f"share of telling and drawing, {steps} steps": round(statistics.median(shares), 4),
            f"pictures in {steps} steps, at most": pictures,
        }
    print(json.dumps(figures))


def seconds_for_one(engine: Diffusion, steps: int, on_step: Callable) -> tuple[float, float]:
    """CPU seconds of the denoising, and those of them spent in `on_step`.

    This process runs one thread, so that other work on the machine is not counted.
    """
    moments, inside = [], 0.0

    def timed(step, of, draw):
        nonlocal inside
        if step == 1:
            moments.append(time.process_time())
        entered = time.process_time()
        on_step(step, of, draw)
        inside += time.process_time() - entered
        if step == of:
            moments.append(time.process_time())

    for _frame in engine.generate(catalog.EMBEDDED.recipe(PROMPT, seed=1, steps=steps), timed):
        pass
    started, ended = moments
    return ended - started, inside


if __name__ == "__main__":
    main()
