"""Who may tune the judge and who scores it. In: split.toml. Out: the names, and on which side.

Nothing is decided here: edit nothing in split.toml once a factor of the judge was chosen by it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("split.toml")


@dataclass(frozen=True)
class Split:
    """The frozen lists."""

    tuning_architectures: tuple[str, ...]
    tuning_faults: frozenset[str]
    architectures: tuple[str, ...]
    real: tuple[str, ...]
    zoo: tuple[str, ...]

    @property
    def scored_models(self) -> tuple[str, ...]:
        """Kinds of model that the judge is scored on."""
        return (*self.architectures, *self.real, *self.zoo)

    def scored_faults(self, known: Iterable[str]) -> list[str]:
        """Of the faults that exist, those that tuned nothing."""
        return [name for name in known if name not in self.tuning_faults]


@cache
def read() -> Split:
    """The split as it was frozen."""
    plain = tomllib.loads(FILE.read_text(encoding="utf-8"))
    tuning, scored = plain["tuning"], plain["scored"]
    return Split(
        tuple(tuning["architectures"]),
        frozenset(tuning["faults"]),
        tuple(scored["architectures"]),
        tuple(scored["real"]),
        tuple(scored["zoo"]),
    )
