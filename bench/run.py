"""Runs every benchmark of this folder, or those named, and prints one table.

What is measured is said in bench_*.py, one file each. A benchmark prints one JSON object (name of a figure -> number,
the unit being part of the name). It is kept in results/, with the machine that it was measured on.
"""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"


def main(*only: str) -> int:
    RESULTS.mkdir(exist_ok=True)
    scripts = {each.stem.removeprefix("bench_"): each for each in sorted(HERE.glob("bench_*.py"))}
    if unknown := set(only) - set(scripts):
        raise SystemExit(f"No benchmark {', '.join(sorted(unknown))}; there are {', '.join(scripts)}.")
    failed = 0
    for name in only or scripts:
        script = scripts[name]
        run = subprocess.run(
            [sys.executable, str(script)], cwd=HERE.parent, stdout=subprocess.PIPE, text=True, check=False
        )
        if run.returncode:
            failed += 1
            print(f"{name}: failed with status {run.returncode}", flush=True)
            continue
        figures = json.loads(run.stdout)
        (RESULTS / f"{name}.json").write_text(
            json.dumps({"figures": figures, "machine": machine()}, indent=2) + "\n"
        )
        for figure, value in figures.items():
            print(f"{name:<12} {figure:<44} {value:>12,.3f}", flush=True)
    return 1 if failed else 0


def machine() -> dict:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
        "architecture": platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
