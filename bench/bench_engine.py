"""From a claimed job to a stored clip, beside the least that makes one: `pipe(...)` and `export_to_video` in a script.

Same weights, settings and number of threads (the engine's own choice), both warm, one after the other in pairs; half of
the pairs begin with the script, so that a machine that slows down favors neither. The worker's side is all of it: the
claim, the child, progress and lease in the database, previews, poster and sprite, checks, fsyncs, the store, the rows.
Then the breakdown of where its time goes, and what the first clip takes, with loading.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

PLACE = tempfile.TemporaryDirectory(prefix="sorahub-bench-")
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "sorahub.settings",
    "SECRET_KEY": "only-for-benchmarks-0123456789abcdefghij",
    "SORAHUB_DEMO": "1",
    "SORAHUB_SITE_URL": "http://localhost",
    "DATABASE_URL": f"sqlite:///{PLACE.name}/bench.sqlite3",
    "CACHE_URL": f"filecache://{PLACE.name}/cache",
    "STORAGE_URL": f"file://{PLACE.name}/private",
    "PUBLIC_STORAGE_URL": f"file://{PLACE.name}/public",
    "EMAIL_URL": "dummymail://",
}
PAIRS = 20
PROMPT = "a red ball drifting over the sea at dusk"
BARE = """
import sys
from pathlib import Path
import torch
from diffusers import LTXPipeline
from diffusers.utils import export_to_video

pipe = LTXPipeline.from_pretrained(sys.argv[1], local_files_only=True)
pipe.set_progress_bar_config(disable=True)
print("ready", flush=True)
for line in sys.stdin:
    seed, out = line.split()
    frames = pipe(
        prompt=sys.argv[2],
        negative_prompt="",
        width=128,
        height=128,
        num_frames=25,
        frame_rate=25,
        num_inference_steps=16,
        guidance_scale=3.0,
        generator=torch.Generator("cpu").manual_seed(int(seed)),
    ).frames[0]
    export_to_video(frames, out, fps=12.5)
    print("done", flush=True)
"""


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from generation import attempts
    from generation.engine import catalog, process

    call_command("migrate", verbosity=0)
    artist, model = a_member(), catalog.get("embedded")
    attempts._engine = engine = timed_engine()
    bare = subprocess.Popen(
        [sys.executable, "-c", BARE, str(model.weights), PROMPT],
        env=os.environ | {"OMP_NUM_THREADS": str(process.THREADS)} | process.CHILD_ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    bare.stdout.readline()
    try:
        seconds_of_worker(artist, model, seed=0)
        first = engine.parts["the first clip, with loading"]
        seconds_of_bare(bare, seed=0)
        pairs, parts, plain = [], [], []
        for seed in range(1, PAIRS + 1):
            sides = [
                lambda seed=seed: seconds_of_bare(bare, seed),
                lambda seed=seed: seconds_of_worker(artist, model, seed),
            ]
            if seed % 2:
                script, ours = (side() for side in sides)
            else:
                ours, script = (side() for side in reversed(sides))
            pairs.append(ours / script)
            plain.append(script)
            parts.append(dict(engine.parts))
    finally:
        attempts.close_engine()
        bare.kill()
        bare.wait()
    figures = {
        f"claim to clip over a bare script, {PAIRS} pairs, median": statistics.median(pairs),
        f"claim to clip over a bare script, {PAIRS} pairs, mean": statistics.mean(pairs),
        "seconds for a clip of the script, median": statistics.median(plain),
        "seconds for the first clip, with loading": first,
    }
    for part in parts[0]:
        figures[f"seconds for {part}, median"] = statistics.median(each[part] for each in parts)
    print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


def timed_engine():
    """An EngineProcess that keeps when which event came."""
    from generation.engine import process

    class Timed(process.EngineProcess):
        def run(self, *arguments, **keywords):
            self.moments = {"asked": time.perf_counter()}
            for event in super().run(*arguments, **keywords):
                match event:
                    case process.Step(1):
                        self.moments["first step"] = time.perf_counter()
                    case process.Step():
                        self.moments["last step"] = time.perf_counter()
                    case process.Encoding():
                        self.moments["frames"] = time.perf_counter()
                    case process.Done():
                        self.moments["files"] = time.perf_counter()
                    case process.Failed():
                        raise SystemExit(f"{event.sentence}\n{event.detail}")
                yield event

    return Timed()


def seconds_of_worker(artist, model, seed: int) -> float:
    from generation import attempts, queue

    job = queue.enqueue(artist, model.recipe(PROMPT, seed=seed))
    started = time.perf_counter()
    attempt = queue.claim_next("bench")
    claimed = time.perf_counter()
    attempts.carry_out(attempt)
    ended = time.perf_counter()
    job.refresh_from_db()
    if attempt.job_id != job.pk or job.status != "succeeded":
        raise SystemExit(f"the job ended as {job.status}: {job.error}")
    engine = attempts.engine()
    at = engine.moments
    engine.parts = {
        "the claim": claimed - started,
        "text and the first step": at["first step"] - claimed,
        "the other steps": at["last step"] - at["first step"],
        "latents to frames": at["frames"] - at["last step"],
        "frames to files": at["files"] - at["frames"],
        "store and rows": ended - at["files"],
    }
    if not seed:
        engine.parts["the first clip, with loading"] = ended - started
    return ended - started


def seconds_of_bare(script: subprocess.Popen, seed: int) -> float:
    out = Path(PLACE.name) / f"bare-{seed}.mp4"
    started = time.perf_counter()
    script.stdin.write(f"{seed} {out}\n")
    script.stdin.flush()
    if script.stdout.readline() != "done\n" or not out.stat().st_size:
        raise SystemExit("the bare script failed")
    return time.perf_counter() - started


def a_member():
    from accounts.models.invitation import accept, invite

    invitation, _link = invite("bench@example.com", role="artist", cohort="Bench", by=None)
    return accept(invitation, name="Bench", password="a-long-enough-password")


if __name__ == "__main__":
    main()
