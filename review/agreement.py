"""How far two reviewers agree: numbers in, numbers out."""

import math
from dataclasses import dataclass

Z = 1.959964  # of a 95 % interval
ENOUGH = 30  # second looks; of fewer, kappa's interval would say next to nothing


@dataclass(frozen=True)
class Agreement:
    """`share` and `kappa` are at most 1, each with the ends of its 95 % interval; None where it can't be told."""

    seen: int
    agreed: int
    share: tuple[float, float, float] | None
    kappa: tuple[float, float, float] | None


def of(counts: dict[tuple[str, str], int]) -> Agreement:
    """`counts`: how often the first said one thing and the second another, by (first, second)."""
    seen = sum(counts.values())
    agreed = sum(many for (first, second), many in counts.items() if first == second)
    return Agreement(seen, agreed, wilson(agreed, seen), kappa(counts) if seen >= ENOUGH else None)


def wilson(part: int, whole: int) -> tuple[float, float, float] | None:
    """A share with Wilson's interval, which holds for small numbers and near 0 and 1 (Wilson 1927)."""
    if not whole:
        return None
    share, square = part / whole, Z**2 / whole
    middle = (share + square / 2) / (1 + square)
    reach = Z * math.sqrt(share * (1 - share) / whole + square / (4 * whole)) / (1 + square)
    return share, max(0.0, middle - reach), min(1.0, middle + reach)


def kappa(counts: dict[tuple[str, str], int]) -> tuple[float, float, float] | None:
    """Cohen's kappa, with the interval of its large-sample variance (Fleiss, Cohen and Everitt 1969).

    None where both always say the same one thing: then chance alone explains all of it.
    """
    whole = sum(counts.values())
    kinds = sorted({kind for pair in counts for kind in pair})
    p = {(a, b): counts.get((a, b), 0) / whole for a in kinds for b in kinds} if whole else {}
    first = {a: sum(p[a, b] for b in kinds) for a in kinds}
    second = {b: sum(p[a, b] for a in kinds) for b in kinds}
    by_chance = sum(first[a] * second[a] for a in kinds)
    if not whole or by_chance == 1:
        return None
    found = (sum(p[a, a] for a in kinds) - by_chance) / (1 - by_chance)
    same = sum(p[a, a] * (1 - (first[a] + second[a]) * (1 - found)) ** 2 for a in kinds)
    other = sum(p[a, b] * (second[a] + first[b]) ** 2 for a in kinds for b in kinds if a != b)
    spread = same + (1 - found) ** 2 * other - (found - by_chance * (1 - found)) ** 2
    reach = Z * math.sqrt(max(spread, 0.0) / whole) / (1 - by_chance)
    return found, max(-1.0, found - reach), min(1.0, found + reach)
