"""From scored trials to figures. In: rows as scoring.py wrote them. Out: counts, per rule."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .ours import NAME
from .peers import RULES, Rule

Row = dict[str, Any]
BINS = ((1.0, 3.0), (3.0, 10.0), (10.0, 100.0), (100.0, math.inf))
MOVED = "moved"


@dataclass(frozen=True)
class Verdicts:
    """One rule at one threshold: whether it accepts a row."""

    name: str
    threshold: float | None
    accepts: Callable[[Row], bool]


def everyone(honest: Sequence[Row]) -> list[tuple[str, Verdicts, Verdicts]]:
    """Per rule: its name, as published, and moved to where it raises no false alarm."""
    own = Verdicts(NAME, None, lambda row: bool(row[NAME]))
    return [(NAME, own, own), *((rule.name, *_both(rule, honest)) for rule in RULES)]


def counted(rows: Iterable[Row]) -> list[Row]:
    """The trials that change an answer by more than the model's own noise."""
    return [row for row in rows if row.get("ratio", 0.0) > 1.0]


def refused(rows: Iterable[Row]) -> list[Row]:
    """The trials that the runtime itself refused."""
    return [row for row in rows if "refused" in row]


def detected(verdicts: Verdicts, rows: Sequence[Row]) -> int:
    """How many rows a rule does not accept."""
    return sum(not verdicts.accepts(row) for row in rows)


def in_bin(rows: Iterable[Row], low: float, high: float) -> list[Row]:
    """The trials whose ratio lies in a bin; the last one holds the infinite ones."""
    return [row for row in rows if low < row["ratio"] <= high]


def misses(verdicts: Verdicts, rows: Iterable[Row]) -> list[Row]:
    """What a rule accepts and should not, the grossest first."""
    return sorted((row for row in rows if verdicts.accepts(row)), key=lambda row: -row["ratio"])


def weakest(verdicts: Verdicts, rows: Sequence[Row]) -> float | None:
    """The weakest strength of one fault down to which a rule detects it in every model.

    Strengths are in the order of the rows, from gross to barely visible. None: not even the first.
    """
    found: float | None = None
    strengths = dict.fromkeys(row["strength"] for row in rows)
    for strength in _from_gross(strengths, rows):
        if any(verdicts.accepts(row) for row in rows if row["strength"] == strength):
            return found
        found = strength
    return found


def _from_gross(strengths: Iterable[float], rows: Sequence[Row]) -> list[float]:
    from deploy_targets.testing.faults import FAULTS

    named = FAULTS[rows[0]["fault"]].strengths
    return sorted(strengths, reverse=named[0] > named[-1])


def _both(rule: Rule, honest: Sequence[Row]) -> tuple[Verdicts, Verdicts]:
    def at(threshold: float) -> Verdicts:
        # "Is within": a NaN score is refused.
        return Verdicts(rule.name, threshold, lambda row: row["scores"][rule.name] <= threshold)

    # The tightest threshold that accepts every honest build.
    tightest = max((row["scores"][rule.name] for row in honest), default=rule.published)
    return at(rule.published), at(tightest)
