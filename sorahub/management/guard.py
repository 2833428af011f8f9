"""The supervisor's heir: sits in a session of its own, and ends the supervised processes if the supervisor dies first.

Each line on standard input lists the process groups that run now. The end of input means that the supervisor is
gone, however it went. Started by supervisor.py only, as a script, so that it imports nothing of the project.
"""

import os
import signal
import sys
from contextlib import suppress

for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)  # the supervisor's end is told by the pipe alone

groups: list[int] = []
for line in sys.stdin:
    groups = [int(word) for word in line.split()]
for group in groups:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
