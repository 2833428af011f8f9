"""`make rehearse`: starts the production set-up on this machine, drives people through it, and says what held.

nginx with TLS before gunicorn, PostgreSQL, Redis, two engine workers, a desk worker and beat, with the settings of a
public site but one: the demo's people log in without a second factor. With `--then COMMAND`, a command of one's own
is run against it as well (BASE, SORAHUB_DEMO_PASSWORD and REQUESTS_CA_BUNDLE tell it where and how).
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import requests

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from deploy.rehearsal import Rehearsal, memory
from deploy.visitor import Visitor

UNITS = [
    ("sorahub-web", ""),
    ("sorahub-engine", "1"),
    ("sorahub-engine", "2"),
    ("sorahub-desk", ""),
    ("sorahub-beat", ""),
]
PASSWORD = "rehearsal-Demo-2026"
PROMPT = "a red ball drifting over the sea at dusk"
HEADERS = (
    "Strict-Transport-Security",
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--then", metavar="COMMAND")
    options.add_argument("--clips", type=int, default=9)
    told = options.parse_args()
    people = {"SORAHUB_REQUIRE_MFA": "0", "SORAHUB_DEMO_PASSWORD": PASSWORD}
    with Rehearsal(units=UNITS, environment=people) as house:
        house.install()
        said = house.manage("check", "--deploy", "--fail-level", "INFO")
        held("check --deploy finds nothing", "no issues" in said)
        house.manage("seed_demo", "--clips", str(told.clips), SORAHUB_DEMO="1")
        house.start()
        edge(house)
        click, job = way(house)
        trail(house, click, job)
        numbers(house)
        if told.then:
            environment = {
                **os.environ,
                "BASE": house.site,
                "SORAHUB_DEMO_PASSWORD": PASSWORD,
                "REQUESTS_CA_BUNDLE": str(house.certificate),
            }
            held(
                f"{told.then} ends well",
                subprocess.run(told.then, shell=True, env=environment).returncode == 0,
            )
        restored(house)
        guessing(house)
        for unit, instance in UNITS:
            sizes = ", ".join(f"{memory(pid):.0f}" for pid in house.pids(f"{unit}{instance}"))
            print(f"     {unit}{instance}: {sizes} MB")
    held("everything ended, and nothing was left behind", not house.place.exists())
    return 0


def held(sentence: str, is_so: bool = True) -> None:
    if not is_so:
        raise SystemExit(f"  NO {sentence}")
    print(f"  ok {sentence}", flush=True)


def edge(house: Rehearsal) -> None:
    """What nginx answers by itself, and what it hands on."""
    plain = requests.get(f"http://localhost:{house.http}/policy/", allow_redirects=False, timeout=10)
    held(
        "plain HTTP leads to HTTPS",
        (plain.status_code, plain.headers["Location"]) == (301, house.site + "/policy/"),
    )
    stranger = Visitor(house.site, house.certificate)
    page = stranger.get("/")
    held("each security header is said once", all(len(stranger.lines(page, name)) == 1 for name in HEADERS))
    hashed = re.search(r"/static/css/base\.[0-9a-f]{12}\.css", page.text)[0]
    static = stranger.get(hashed)
    held("static files are kept for a year", "immutable" in static.headers["Cache-Control"])
    held("and come from nginx", "X-Request-ID" not in static.headers)
    token = {"Authorization": f"Bearer {house.metrics_token}"}
    held(
        "/metrics is not there from outside, even with its token",
        stranger.get("/metrics", headers=token).status_code == 404,
    )
    ready = stranger.get("/readyz").json()
    held(f"/readyz: {', '.join(name for name in ready if name != 'ready')}", all(ready.values()))
    named = stranger.get("/", headers={"X-Request-ID": "named-by-a-stranger", "X-Forwarded-For": "10.0.0.1"})
    held(
        "a stranger doesn't name a request",
        re.fullmatch(r"[0-9a-f]{32}", named.headers["X-Request-ID"]) is not None,
    )


def way(house: Rehearsal) -> tuple[str, str]:
    """Prompt, clip, submission, approval, publication, takedown; returns the click's id and the job's."""
    stranger, artist, reviewer = (
        Visitor(house.site, house.certificate, email, PASSWORD)
        for email in (None, "artist@example.com", "reviewer@example.com")
    )
    started = time.monotonic()
    click = artist.post(
        "/studio/jobs/",
        {**artist.fields("/studio/", "/studio/jobs/"), "prompt": PROMPT},
        page="/studio/",
        follow=False,
    )
    job = urlsplit(click.headers["Location"]).path
    status = until(lambda: over(artist.get(job + "status.json").json()), 300)
    held(f"a prompt became a clip in {time.monotonic() - started:.1f} s", status["status"] == "succeeded")
    clip = urlsplit(status["clip"]).path
    accelerated(house, artist, clip)
    held(
        "a stranger gets none of it",
        stranger.get(clip + "video.mp4", allow_redirects=False).status_code == 302,
    )

    title = f"Rehearsal {int(time.time())}"
    words = {**artist.fields(clip, clip + "submissions/"), "title": title, "statement": "For the rehearsal."}
    sent = artist.post(clip + "submissions/", words, page=clip)
    submission = urlsplit(sent.url).path
    held(
        "it is submitted, and not public",
        "/studio/submissions/" in submission and title not in stranger.get("/").text,
    )
    room = decided(reviewer, title)
    artist.post(submission + "publication/", page=submission)
    gallery = until(lambda: (text := stranger.get("/").text) and title in text and text, 10)
    slug = next(path for path in re.findall(r'/watch/[^/"]+/', gallery) if title in stranger.get(path).text)
    part = stranger.get(slug + "video.mp4", headers={"Range": "bytes=100-199"})
    held("approved and published, it plays by Range", (part.status_code, len(part.content)) == (206, 100))
    held("and must be asked for again each time", "no-cache" in part.headers["Cache-Control"])
    known = stranger.get(slug + "video.mp4", headers={"If-None-Match": part.headers["ETag"]})
    held("which costs no bytes while nothing changed", known.status_code == 304)
    takedown = re.search(
        r"/desk/publications/[^/]+/takedown/", reviewer.get(slug).text + reviewer.get(room).text
    )[0]
    reviewer.post(takedown, {"reason": "The rehearsal is over."}, page=slug)
    gone = [
        stranger.get(slug + name, headers={"If-None-Match": part.headers["ETag"]}).status_code
        for name in ("", "video.mp4", "poster.jpg", "sprite.jpg")
    ]
    held("taken down, it is gone from the next request on", gone == [410] * 4)
    return click.headers["X-Request-ID"], job.strip("/").rpartition("/")[2]


def accelerated(house: Rehearsal, artist: Visitor, clip: str) -> None:
    """X-Accel-Redirect, seen from both sides of nginx."""
    inside = requests.get(
        f"{house.web}{clip}video.mp4",
        headers={"Host": "localhost", "X-Forwarded-Proto": "https", "Cookie": artist.cookies()},
        timeout=10,
    )
    name = inside.headers.get("X-Accel-Redirect", "")
    held(
        "the application names the file and sends no bytes",
        name.startswith("/internal/private/") and not inside.content,
    )
    whole = artist.get(clip + "video.mp4")
    held(
        f"nginx sends its {len(whole.content)} bytes",
        whole.status_code == 200 and whole.content[4:8] == b"ftyp",
    )
    held("and doesn't tell where they lie", "X-Accel-Redirect" not in whole.headers)
    held("to be kept by nobody", {"private", "no-store"} <= set(whole.headers["Cache-Control"].split(", ")))
    held(
        "with the application's headers, each once",
        all(len(artist.lines(whole, each)) == 1 for each in (*HEADERS, "Cache-Control", "X-Request-ID")),
    )
    part = artist.get(clip + "video.mp4", headers={"Range": "bytes=10-19"})
    held("a Range is a part", (part.status_code, part.content) == (206, whole.content[10:20]))
    far = artist.get(clip + "video.mp4", headers={"Range": "bytes=99999999-"})
    held("and one beyond the end is 416", far.status_code == 416)
    held("the internal place itself is not there", artist.get(name).status_code == 404)
    held(
        "nor by a way round",
        all(
            artist.get(way).status_code == 404
            for way in (
                f"/static/..{name}",
                f"/static/../private/{Path(name).name}",
                "/internal/",
                "//internal/private/",
            )
        ),
    )


def decided(reviewer: Visitor, title: str) -> str:
    """Approves what carries this title; what waits before it is refused."""
    for _submission in range(100):
        room = urlsplit(reviewer.post("/desk/next/", page="/desk/").url).path
        if room == "/desk/":  # its files are still being made
            time.sleep(0.5)
            continue
        page = reviewer.get(room).text
        fields = reviewer.fields(room, room + "decision/")
        mine = title in page
        clause = re.search(r'name="reasons"[^>]*value="([^"]+)"', page)[1]
        verdict = (
            {"outcome": "approve"}
            if mine
            else {"outcome": "refuse", "reasons": clause, "note": "Not this one."}
        )
        answer = reviewer.post(
            room + "decision/", {"content_hash": fields["content_hash"], **verdict}, page=room
        )
        if answer.status_code >= 400:
            raise SystemExit(f"deciding answers {answer.status_code}")
        if mine:
            held("a reviewer approved exactly it")
            return room
    raise SystemExit("the desk never showed the submission")


def trail(house: Rehearsal, click: str, job: str) -> None:
    """One id from the click to the worker, and no word of the prompt anywhere."""
    logs = {unit + instance: house.log(unit + instance) for unit, instance in UNITS}
    found = [
        (name, line["message"])
        for name, log in logs.items()
        for line in map(json.loads, filter(lambda line: line.startswith("{"), log.splitlines()))
        if line.get("request") == click
    ]
    held(
        "the click's id is in the web's line and in an engine's",
        {"sorahub-web"} < {name for name, _said in found},
    )
    held("with the job's", any(f'"job": "{job}"' in log for name, log in logs.items() if "engine" in name))
    held("and no line holds the prompt", not any(PROMPT in log or "red ball" in log for log in logs.values()))
    by_engine = [log.count("attempt made its clip") for name, log in logs.items() if "engine" in name]
    print(f"     clips by engine worker: {by_engine}")


def numbers(house: Rehearsal) -> None:
    told = requests.get(
        f"{house.web}/metrics", headers={"Authorization": f"Bearer {house.metrics_token}"}, timeout=10
    )
    held("Prometheus is told from inside", "sorahub_gate_up 1.0" in told.text)
    counted = sum(
        map(float, re.findall(r'^sorahub_requests_total\{.*view="job_status"\} ([\d.]+)', told.text, re.M))
    )
    held(f"all web processes counted together ({counted:.0f} looks at a job)", counted > 0)


def restored(house: Rehearsal) -> None:
    """A backup, onto an empty database and empty folders; what was taken down after it stays down."""
    folder = house.place / "backups"
    made = house.manage("backup", str(folder), DATABASE_URL=house.owner_url)
    print("     " + made.replace("\n", "\n     "))
    reviewer = Visitor(house.site, house.certificate, "reviewer@example.com", PASSWORD)
    slug = re.search(r'/watch/[^/"]+/', reviewer.get("/").text)[0]
    takedown = re.search(r"/desk/publications/[^/]+/takedown/", reviewer.get(slug).text)[0]
    reviewer.post(takedown, {"reason": "After the backup."}, page=slug)
    with house.another() as elsewhere:
        elsewhere.manage("restore", str(folder))
        count = (
            "from review.models import Publication as P; print(P.objects.live().count(), P.objects.count())"
        )
        both = [each.manage("shell", "--no-imports", "-c", count) for each in (house, elsewhere)]
        held(f"restored onto an empty directory: {both[0]} publications live and in all", both[0] == both[1])
        held("so what was taken down after the backup is down there too")
        files = [
            {path.name for path in (each.place / "private").rglob("*") if path.is_file()}
            for each in (house, elsewhere)
        ]
        # What one viewer was shown is made again when it is wanted: no backup holds it.
        told = "from review.models import StaffCopy as C; print(*C.objects.values_list('sha256', flat=True))"
        copies = set(house.manage("shell", "--no-imports", "-c", told).split())
        held(f"with its {len(files[1])} private files", files[1] == files[0] - copies)
        held(f"but without the {len(copies)} copies that staff were shown", copies <= files[0])
        elsewhere.manage("audit", "verify")
        held("and an audit log that is whole")


def guessing(house: Rehearsal) -> None:
    stranger = Visitor(house.site, house.certificate)
    answers = [
        stranger.post(
            "/accounts/login/", {"login": "a@example.com", "password": "x"}, page="/accounts/login/"
        ).status_code
        for _try in range(30)
    ]
    held("guessing a password is slowed down at the edge", 429 in answers)


def over(status: dict) -> dict | None:
    return status if status["status"] in ("succeeded", "failed", "cancelled") else None


def until(what, seconds: float):
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            raise SystemExit(f"still waiting after {seconds} s")
        time.sleep(0.5)
    return found


if __name__ == "__main__":
    sys.exit(main())
