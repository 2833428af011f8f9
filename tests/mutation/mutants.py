"""Every mutant of a file, each told by what it changes, so that the list of known survivors outlives moved lines."""

import ast
import difflib
import importlib.util
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.mutating import mutate_code

from .operators import OPERATORS


@dataclass(frozen=True)
class Target:
    """A module, and the functions in it that are mutated; () is all of them."""

    module: str
    functions: tuple[str, ...]
    files: tuple[str, ...]
    races: tuple[str, ...]  # what tells on PostgreSQL of mutants that no test on SQLite can notice

    @property
    def tests(self) -> tuple[str, ...]:
        from django.db import connection

        return self.files if connection.vendor == "sqlite" else self.races

    @property
    def path(self) -> Path:
        return Path(importlib.util.find_spec(self.module).origin)


@dataclass(frozen=True)
class Mutant:
    target: Target
    function: str
    source: str  # of the whole module
    name: str  # "function: what stood there → what stands there now"


def of(target: Target) -> list[Mutant]:
    source = target.path.read_text()
    places = _functions(source)
    found = {}
    for operator in OPERATORS:
        for number in range(10_000):
            changed = mutate_code(source, operator, number)
            if changed is None:
                break
            line, name = _difference(source, changed)
            function = next((name for name, lines in places.items() if line in lines), None)
            if function and (not target.functions or function in target.functions):
                found.setdefault(changed, (function, f"{function}: {name}"))
    seen, mutants = Counter(), []
    for changed, (function, name) in found.items():
        seen[name] += 1  # the same line may stand in a function twice
        mutants.append(
            Mutant(target, function, changed, f"{name} ({seen[name]})" if seen[name] > 1 else name)
        )
    return sorted(mutants, key=lambda mutant: mutant.name)


def _functions(source: str) -> dict[str, range]:
    """Lines, from 1, of each function or class at the top of a module, its decorators among them."""
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    first = {node.name: min([node.lineno, *(one.lineno for one in node.decorator_list)]) for node in nodes}
    return {node.name: range(first[node.name], node.end_lineno + 1) for node in nodes}


def _difference(before: str, after: str) -> tuple[int, str]:
    """The first line that differs, from 1, and both sides in one line of text."""
    one, other = before.splitlines(), after.splitlines()
    for _tag, start, end, other_start, other_end in difflib.SequenceMatcher(
        None, one, other, autojunk=False
    ).get_opcodes():
        if _tag != "equal":
            removed = " ".join(line.strip() for line in one[start:end])
            added = " ".join(line.strip() for line in other[other_start:other_end])
            return start + 1, f"{removed} → {added or 'nothing'}"
    raise ValueError("nothing differs")
