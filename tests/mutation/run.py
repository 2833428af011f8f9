"""Runs each mutant against the tests that reach it, and names those that live: `python -m tests.mutation.run`.

Name a module to run its mutants alone. A run writes what it finds into var/mutation/ as it goes; `--resume` goes on
after a run that was stopped, or after new tests: what was killed stays killed while the module's text is the same.
Which tests reach which function is found out first, in one run of the unchanged code.
"""

import hashlib
import json
import os
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from dataclasses import asdict
from pathlib import Path

from .forks import prepare
from .mutants import Mutant, Target, of
from .trial import Outcome, Recorder, Trial, can_be_exchanged

HERE = Path(__file__).parent
FOUND = HERE.parents[1] / "var" / "mutation"
LIMIT = 300  # seconds for one mutant, many times what its tests take; once more, three times as long, if they don't do
GATE = Target(
    "review.gate",
    (),
    (
        "tests/review/test_gate_acts.py",
        "tests/review/test_replayed_takedowns.py",
        "tests/review/test_deciding.py",
        "tests/review/test_pairs.py",
        "tests/review/test_remarks.py",
        "tests/review/test_policy.py",
        "tests/review/test_clocks.py",
        "tests/review/test_publishing.py",
        "tests/review/test_claims.py",
        "tests/review/test_stepping_aside.py",
        "tests/review/test_sweep.py",
        "tests/review/test_kept_out.py",
        "tests/review/test_journal.py",
        "tests/generation/test_queue_limits.py",
    ),
    ("tests/review/test_gate_races.py",),
)
CLAIM = Target(
    "generation.queue.claiming",
    ("claim_next", "_questions", "_may_be_served", "_without_left", "_in_order", "in_turn"),
    (
        "tests/generation/test_queue_claim.py",
        "tests/generation/test_queue.py",
        "tests/generation/test_queue_limits.py",
        "tests/generation/test_queue_place.py",
        "tests/generation/test_workers.py",
    ),
    (
        "tests/generation/test_queue_claim.py",
        "tests/generation/test_queue_races.py",
        "tests/generation/test_workers.py",
    ),
)
# Not what PostgreSQL alone does: the same end is asked of it as of the steps.
OPENING = Target(
    "generation.queue.opening",
    ("goes_at_once", "held_seat", "open_attempt", "_step_by_step"),
    CLAIM.files,
    CLAIM.races,
)
TARGETS = (GATE, CLAIM, OPENING)


def outcomes(target: Target, *, only=None, resume=False) -> dict[str, Outcome]:
    """{mutant's name: what became of it}, on the database that the environment names."""
    found = _Found(target, resume)
    mutants = [mutant for mutant in of(target) if only is None or mutant.name in only]
    waiting = [mutant for mutant in mutants if mutant.name not in found.outcomes]
    inside = [mutant for mutant in waiting if can_be_exchanged(target, mutant.source)]
    trial = Trial(target, lambda trial: _try(trial, trial.outcome_of, inside, found))
    if not (pid := os.fork()):  # the tests load the module, and what follows must not have it
        os._exit(trial.run())
    if os.waitpid(pid, 0)[1]:
        raise SystemExit("The run came to no end.")
    found.read()
    _try(trial, trial.outcome_of_loading, [mutant for mutant in waiting if mutant not in inside], found)
    return {mutant.name: found.outcomes[mutant.name] for mutant in mutants}


def _try(trial: Trial, outcome_of, mutants: list[Mutant], found: "_Found") -> None:
    reached = found.reached or found.keep_reached(_reached(trial))
    unchanged = trial.target.path.read_text()
    kills = defaultdict(Counter)  # what has killed a function's mutants comes first for the next of them

    def fails_anyway(test: str) -> bool:
        return not outcome_of(unchanged, [test], limit=3 * LIMIT).lives

    for number, mutant in enumerate(mutants, 1):
        started = time.monotonic()
        deadly = kills[mutant.function]
        tests = sorted(reached.get(mutant.function, []), key=deadly.__getitem__, reverse=True)
        outcome = _outcome(mutant, tests, outcome_of, fails_anyway) if tests else Outcome(0, "")
        found.keep(mutant, outcome)
        deadly[outcome.by] += 1
        word = "killed  " if outcome.is_killed else "SURVIVES" if outcome.lives else "UNCLEAR "
        seconds = f"{time.monotonic() - started:5.1f} s"
        print(f"{number:4}/{len(mutants)} {word} {seconds}  {mutant.name[:150]}  {outcome.by}", flush=True)


def _outcome(mutant: Mutant, tests: list[str], outcome_of, fails_anyway) -> Outcome:
    """A slow machine kills nothing: what ran out of time gets more of it, and what meets itself in threads is asked

    whether the unchanged code passes in this same moment.
    """
    for limit in (LIMIT, 3 * LIMIT):
        outcome = outcome_of(mutant.source, tests, limit=limit)
        if "races" in outcome.by and fails_anyway(outcome.by):
            outcome = Outcome(outcome.code, "")
        elif outcome.lives or outcome.is_killed:
            break
    return outcome


def _reached(trial: Trial) -> dict[str, list[str]]:
    """{function: the tests that call it}, from a run of the unchanged code, which must be green.

    In the order of the target's files, of which the first say most about it, and in each the quickest first.
    """
    target = trial.target
    with tempfile.TemporaryDirectory() as place:
        recorder = Recorder(target.path, told=Path(place, "reached.json"))
        text = target.path.read_text()
        outcome = trial.outcome_of(text, list(trial.items), limit=3600, around=recorder.around)
        if not outcome.lives:
            raise SystemExit(f"The tests fail without any mutant: {outcome}")
        heard = json.loads(recorder.told.read_text())
    order = list(target.tests)
    return {
        function: sorted(tests, key=lambda test: (order.index(test.partition("::")[0]), tests[test]))
        for function, tests in heard.items()
    }


class _Found:
    """What a run finds, on disk at once; and what an earlier one found of the same text."""

    def __init__(self, target: Target, resume: bool):
        from django.db import connection

        FOUND.mkdir(parents=True, exist_ok=True)
        self.path = FOUND / f"{target.module}-{connection.vendor}.jsonl"
        self.reached_path = self.path.with_suffix(".reached.json")
        self.text, self.tests_text = _hash(target.path), _hash(target.path, *map(Path, target.tests))
        if not resume:
            self.path.unlink(missing_ok=True)
            self.reached_path.unlink(missing_ok=True)
        self.outcomes, self.reached = {}, None
        self.read()

    def read(self) -> None:
        """What was killed, with the same text of the module; what lived, with the same tests, too."""
        if self.path.exists():
            for one in map(json.loads, self.path.read_text().splitlines()):
                outcome = Outcome(one["code"], one["by"])
                if one["text"] == self.text and (outcome.is_killed or one["tests_text"] == self.tests_text):
                    self.outcomes[one["mutant"]] = outcome
        if self.reached_path.exists():
            known = json.loads(self.reached_path.read_text())
            self.reached = known["reached"] if known["text"] == self.tests_text else None

    def keep(self, mutant: Mutant, outcome: Outcome) -> None:
        self.outcomes[mutant.name] = outcome
        told = {"mutant": mutant.name, "text": self.text, "tests_text": self.tests_text, **asdict(outcome)}
        with self.path.open("a") as file:
            print(json.dumps(told), file=file)

    def keep_reached(self, reached: dict[str, list[str]]) -> dict[str, list[str]]:
        self.reached = reached
        self.reached_path.write_text(json.dumps({"text": self.tests_text, "reached": reached}))
        return reached


def _hash(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def known(target: Target) -> dict[str, dict]:
    """{mutant's name: why it may live, and on which databases}."""
    return {
        one["mutant"]: one
        for one in tomllib.loads((HERE / "survivors.toml").read_text()).get(target.module, [])
    }


def main(arguments: list[str]) -> int:
    """0 if every mutant is killed, or lives and is explained, on the database that the environment names."""
    from django.db import connection

    named = [one for one in arguments if one != "--resume"]
    chosen = [target for target in TARGETS if not named or target.module in named]
    prepare({target.module for target in TARGETS})
    wrong = 0
    for target in chosen:
        started = time.monotonic()
        vendor = connection.vendor
        explained = {name for name, one in known(target).items() if vendor in one["on"]}
        # What dies on SQLite is dead. On PostgreSQL, what is said to die only there must do so.
        only = None if vendor == "sqlite" else set(known(target)) - explained
        told = outcomes(target, only=only, resume="--resume" in arguments)
        living = {name for name, outcome in told.items() if outcome.lives}
        complaints = {
            "lives unexplained": living - explained,
            "came to no clear end": {
                name for name, outcome in told.items() if not (outcome.lives or outcome.is_killed)
            },
            "is explained, but lives no more": (explained - living) & set(told),
            "is explained, but there is no such mutant": set(known(target))
            - {one.name for one in of(target)},
        }
        print(
            f"{target.module} on {connection.vendor}: {len(told)} mutants,"
            f" {sum(outcome.is_killed for outcome in told.values())} killed,"
            f" {len(living & explained)} live and are explained, {time.monotonic() - started:.0f} s"
        )
        for word, names in complaints.items():
            for name in sorted(names):
                print(f"  {word}: {name}")
        wrong += sum(map(len, complaints.values()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
