"""How fast the public pages and bytes are answered inside one process, with a full gallery; no network, no browser."""

import json
import os
import statistics
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
}
CLIPS, ROUNDS = 100, 50


def main() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    from generation import attempts
    from review.models import Publication

    call_command("migrate", verbosity=0)
    call_command("seed_demo", clips=CLIPS, artists=5, stdout=sys.stderr)
    attempts.close_engine()
    client = Client(headers={"host": "localhost"})
    watch = f"/watch/{Publication.objects.live().first().slug}/"
    paths = {
        "gallery": "/",
        "watch page": watch,
        "poster": watch + "poster.jpg",
        "video": watch + "video.mp4",
    }
    print(
        json.dumps(
            {f"ms for {name}, median of {ROUNDS}": median_ms(client, at) for name, at in paths.items()}
        )
    )


def median_ms(client, path: str) -> float:
    times = []
    for _round in range(ROUNDS + 1):
        started = time.perf_counter()
        response = client.get(path)
        body = response.getvalue()
        times.append(1000 * (time.perf_counter() - started))
        if response.status_code != 200 or not body:
            raise SystemExit(f"{path} answers {response.status_code}")
    return round(statistics.median(times[1:]), 3)  # the first one also compiles templates


if __name__ == "__main__":
    main()
