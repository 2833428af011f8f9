"""A production installation on one machine, in a folder of its own: nginx, web processes, workers and beat.

What is started is what ships: nginx.conf and the commands of systemd/*.service, with other paths, ports and names
put in. rehearse.py drives people through it, and bench/bench_serving.py measures it.
"""

import os
import re
import secrets
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

DEPLOY = Path(__file__).resolve().parent
PROJECT = DEPLOY.parent
BIN = Path(sys.executable).parent
IS_ROOT = os.geteuid() == 0
# As in production, nginx is another user, and reads the stores through a group; only root can arrange that.
APP = {"group": "www-data", "extra_groups": []} if IS_ROOT else {}
NAME = "sorahub_rehearsal"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Rehearsal:
    """Within it the installation runs at `site` (through nginx) and `web` (the web processes themselves)."""

    def __init__(self, *, tls: bool = True, units=(), environment=None, name: str = NAME):
        self.tls, self.units, self.name = tls, units, name
        self.place = Path(tempfile.mkdtemp(prefix="sorahub-rehearsal-"))
        self.http, self.edge, self.inside = free_port(), free_port(), free_port()
        self.site = f"{'https' if tls else 'http'}://localhost:{self.edge}"
        self.web = f"http://127.0.0.1:{self.inside}"
        self.metrics_token = secrets.token_urlsafe(32)
        server = urlsplit(os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres"))
        self.server = server._replace(scheme="postgresql", path="/postgres").geturl()
        self.owner_url = server._replace(scheme="postgres", path=f"/{name}").geturl()
        self.role, password = f"{name}_app", secrets.token_hex(16)
        host = f"{server.hostname}:{server.port or 5432}"
        self.app_url = server._replace(
            scheme="postgres", netloc=f"{self.role}:{password}@{host}", path=f"/{name}"
        ).geturl()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SORAHUB_")},
            "DJANGO_SETTINGS_MODULE": "sorahub.settings",
            "HOME": str(self.place / "var"),
            "DEBUG": "0",
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "SORAHUB_SITE_URL": self.site,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "DATABASE_URL": self.owner_url,
            "BROKER_URL": os.environ.get("BROKER_URL", "redis://127.0.0.1:6379/11"),
            "CACHE_URL": os.environ.get("CACHE_URL", "rediscache://127.0.0.1:6379/12"),
            "SORAHUB_VAR": str(self.place / "var"),
            "STORAGE_URL": f"file://{self.place}/private",
            "PUBLIC_STORAGE_URL": f"file://{self.place}/public",
            "SORAHUB_JOURNAL_URL": f"file://{self.place}/journal",
            "SORAHUB_ACCEL_PREFIX": "/internal",
            "SORAHUB_TRUSTED_PROXIES": "1",
            "SORAHUB_LOG": "json",
            "SORAHUB_METRICS_TOKEN": self.metrics_token,
            **(environment or {}),
        }
        self._running: dict[str, subprocess.Popen] = {}
        self._undo = ExitStack()

    def __enter__(self):
        with ExitStack() as undo:
            undo.callback(shutil.rmtree, self.place, ignore_errors=True)
            self._make_places()
            self._make_database()
            undo.callback(self._drop_database)
            undo.callback(self._stop)
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *exc_info):
        self._undo.close()

    def install(self) -> None:
        """As the owner; from then on everything runs as a role that owns nothing."""
        self.manage("migrate", "-v0")
        self._make_role(self.manage("databaseroles", self.role))
        self.environment["DATABASE_URL"] = self.app_url
        self.manage("collectstatic", "--noinput", "-v0")
        self.manage("provenance", "keys", "--name", "A rehearsal")

    def another(self) -> "Rehearsal":
        """Another place with an empty database and empty stores, for the same members: key and journal are the same."""
        kept = {name: self.environment[name] for name in ("SECRET_KEY", "SORAHUB_JOURNAL_URL")}
        return Rehearsal(environment=kept, name=f"{self.name}_another")

    def start(self) -> None:
        self._start("nginx", ["nginx", "-e", "stderr", "-c", self._nginx_conf()], {"env": self.environment})
        for unit, instance in self.units:
            command, environment = self._unit(unit, instance)
            self._start(f"{unit}{instance}", command, APP | {"env": self.environment | environment})
        wait_for(self.web + "/readyz")

    def manage(self, *words: str, **environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=PROJECT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            umask=0o027,
            **APP,
        )
        if done.returncode:
            raise SystemExit(f"manage.py {' '.join(words)} failed:\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def log(self, name: str) -> str:
        return (self.place / "log" / name).read_text()

    def pids(self, name: str) -> list[int]:
        """A process's own id and its children's."""
        pid = self._running[name].pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    @property
    def certificate(self) -> Path:
        return self.place / "tls" / "fullchain.pem"

    # --- What it stands on ------------------------------------------------------------------------

    def _make_places(self) -> None:
        for name in ("var", "private", "public", "log", "nginx", "tls"):
            (self.place / name).mkdir()
        if IS_ROOT:
            self.place.chmod(0o755)
            for name in ("var", "private", "public"):
                shutil.chown(self.place / name, group=APP["group"])
                (self.place / name).chmod(0o2750)
            shutil.chown(self.place / "nginx", "www-data")
        if self.tls:
            words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
            words += " -addext subjectAltName=DNS:localhost"
            files = ["-keyout", str(self.place / "tls" / "privkey.pem"), "-out", str(self.certificate)]
            subprocess.run([*words.split(), *files], check=True, capture_output=True)

    def _make_database(self) -> None:
        self._drop_database()
        with psycopg.connect(self.server, autocommit=True) as server:
            server.execute(f'CREATE DATABASE "{self.name}"')

    def _make_role(self, rights: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as server:
            server.execute(f"CREATE ROLE \"{self.role}\" LOGIN PASSWORD '{urlsplit(self.app_url).password}'")
        with psycopg.connect(self.owner_url.replace("postgres://", "postgresql://")) as database:
            database.execute(rights)

    def _drop_database(self) -> None:
        with psycopg.connect(self.server, autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
            server.execute(f'DROP ROLE IF EXISTS "{self.role}"')

    # --- What runs ----------------------------------------------------------------------------------

    def _nginx_conf(self) -> str:
        """The shipped file, with this place put in; each line that is exchanged must be there."""
        conf = (DEPLOY / "nginx.conf").read_text()
        listen = f"listen 127.0.0.1:{self.edge}{' ssl http2' if self.tls else ''};"
        exchanged = {
            "server 127.0.0.1:8000;": f"server 127.0.0.1:{self.inside};",
            "listen 80;": f"listen 127.0.0.1:{self.http};",
            "listen [::]:80;": "",
            "listen 443 ssl http2;": listen,
            "listen [::]:443 ssl http2;": "",
            "https://clips.example.org$request_uri": f"{self.site}$request_uri",
            "clips.example.org;": "localhost;",
            "/etc/letsencrypt/live/clips.example.org/": f"{self.place}/tls/",
            "/srv/sorahub/": f"{self.place}/",
            "/var/lib/sorahub/": f"{self.place}/var/",
            "/var/log/nginx/": f"{self.place}/log/",
        }
        for shipped, here in exchanged.items():
            if shipped not in conf:
                raise SystemExit(
                    f"deploy/nginx.conf no longer says {shipped!r}; rehearsal.py must follow it."
                )
            conf = conf.replace(shipped, here)
        if not self.tls:
            conf = "\n".join(line for line in conf.splitlines() if not line.strip().startswith("ssl_"))
        (self.place / "sorahub.conf").write_text(conf)
        temporary = "".join(
            f"{kind}_temp_path {self.place}/nginx/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        main = self.place / "nginx.conf"
        main.write_text(
            f"{'user www-data www-data;' if IS_ROOT else ''}\nworker_processes 1;\ndaemon off;\n"
            f"pid {self.place}/nginx/pid;\nevents {{ worker_connections 512; }}\n"
            f"http {{\ninclude /etc/nginx/mime.types;\n{temporary}include {self.place}/sorahub.conf;\n}}\n"
        )
        return str(main)

    def _unit(self, unit: str, instance: str) -> tuple[list[str], dict[str, str]]:
        """What systemd would start, and what it would add to its environment."""
        path = DEPLOY / "systemd" / f"{unit}{'@' if instance else ''}.service"
        told = [
            line.split("=", 1) for line in path.read_text().splitlines() if "=" in line and line[0] != "#"
        ]
        (command,) = [value for name, value in told if name == "ExecStart"]
        command = command.replace("/opt/sorahub/.venv/bin", str(BIN)).replace("%i", instance)
        command = command.replace("%%", "%").replace("127.0.0.1:8000", f"127.0.0.1:{self.inside}")
        return command.split(), dict(value.split("=", 1) for name, value in told if name == "Environment")

    def _start(self, name: str, command: list[str], options: dict) -> None:
        with open(self.place / "log" / name, "ab") as log:
            self._running[name] = subprocess.Popen(
                command,
                cwd=PROJECT,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o027,
                **options,
            )

    def _stop(self) -> None:
        """As systemd does with KillMode=mixed: first a word to the leader, then the end of its group."""
        for process in self._running.values():
            process.terminate()
        end = time.monotonic() + 20
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.1, end - time.monotonic()))
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def memory(pid: int) -> float:
    """Megabytes that a process holds."""
    (kilobytes,) = re.findall(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(kilobytes) / 1024


def wait_for(address: str, seconds: float = 60, certificate: Path | None = None) -> None:
    context = ssl.create_default_context(cafile=certificate) if certificate else None
    end = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5, context=context):
                return
        except OSError as error:
            if time.monotonic() > end:
                raise SystemExit(f"{address} doesn't answer: {error}") from None
            time.sleep(0.2)
