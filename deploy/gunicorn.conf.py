"""How the web processes run: threads, because members wait on video bytes and not on this program's arithmetic."""

import os
import shutil
import tempfile

worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", 2))
threads = 8
graceful_timeout = 3  # seconds for requests under way when it is told to end
control_socket_disable = True  # its socket would lie in a home directory; versions that have none ignore this
# No access log of its own: sorahub.access writes one, in which no key is told.

# The processes count their requests together, in files of a folder that each start makes anew (sorahub.metrics).
_counts = tempfile.mkdtemp(prefix="sorahub-metrics-")
os.environ["PROMETHEUS_MULTIPROC_DIR"] = _counts


def on_exit(server) -> None:
    shutil.rmtree(_counts, ignore_errors=True)
