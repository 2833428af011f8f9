"""What the tests of the gate and of the claim are worth: no change to the code goes unnoticed, or it is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from . import run


@pytest.mark.soak
@pytest.mark.parametrize("target", run.TARGETS, ids=lambda target: target.module)
def test_every_mutant_is_killed_or_explained(target):
    """In a process of its own, which hasn't loaded what is mutated. On PostgreSQL the races are among the tests."""
    command = [sys.executable, "-m", "tests.mutation.run", target.module]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        command, cwd=root, env=dict(os.environ), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
