"""What is allowed, what was measured, what was decided: the records of the verdict.

docs/parity.md describes them for whoever reads a manifest's bounds or a parity.json.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

SCHEMA = 3
"""The version of parity.json's form."""


class Verdict(enum.StrEnum):
    """What is known of a lane. NOT_RUN is not a pass."""

    PASS = "pass"
    FAIL = "fail"
    NOT_RUN = "not-run"


@dataclass(frozen=True)
class Bound:
    """How far one output may be from the original's. Derived from the model's own noise."""

    relative_l2: float
    """Of the whole output, the budget included."""
    whole: float
    """Root mean square of the error over that of the noise, in the whole output."""
    part: float
    """The same in every slice along every axis: each row, each channel, each class."""
    element: float
    """Error over noise in every single element."""
    budget: float = 0.0
    """Relative L2 granted above the noise, by the recipe and by the user."""
    jumps: float = 0.0
    """Share of elements that may jump, because the original's own do. Of integers: may differ."""
    jump: float = 0.0
    """How far one may jump, in the output's unit."""


@dataclass(frozen=True)
class OutputParity:
    """How far one output of one call is from the original's. Measured, not judged.

    `whole`, `part` and `element` are in units of the model's own noise; see `Bound`.
    """

    call: str
    output: str
    max_abs: float
    relative_l2: float
    cosine: float
    whole: float = 0.0
    part: float = 0.0
    part_at: str = ""  # the worst slice: "axis 1, index 3"
    element: float = 0.0
    element_at: tuple[int, ...] = ()  # the worst element, and what stands there
    expected: float = float("nan")
    answered: float = float("nan")
    jumped: int = 0  # elements left out of the three, as jumps; of integers all that differ
    unsure: int | None = None  # of integers: how many the original itself answers otherwise
    size: int = 0  # elements
    task: Mapping[str, float] = field(default_factory=dict)  # top1, top5, pixels, … where declared
    histogram: tuple[int, ...] = ()  # elements by error over noise: below 2^-4, then by octaves
    problem: str = ""  # what makes comparing impossible: missing, extra, another shape or dtype


@dataclass(frozen=True)
class Row:
    """The verdict of one lane on one golden."""

    lane: str
    golden: str
    verdict: Verdict
    where: str  # what really ran: runtime, versions, machine
    reason: str = ""
    parity: tuple[OutputParity, ...] = ()
    seconds: float | None = None
    notes: tuple[str, ...] = ()  # what was not as where the bundle will live


@dataclass(frozen=True)
class ParityReport:
    """`parity.json`: rows lane x golden about the one manifest whose digest it names."""

    bundle: str
    rows: tuple[Row, ...]
    schema: int = SCHEMA
