"""What an explanation is made of: the records that `explain` returns and `--json` prints."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from deploy_targets.parity.difference import Difference


class Stage(enum.StrEnum):
    """Between which two of the path's stations the answers part ways."""

    NOTHING = "nothing"  # every lane that was run answers as the original does
    CAPTURE = "capture"  # the original -> its captured graph
    BUILD = "build"  # the captured graph -> the artifact's graph
    OPTIMISATION = "optimisation"  # the artifact's graph -> what ONNX Runtime makes of it
    STEPS = "steps"  # the model is right; what is declared to stand before or after it is not
    RUNTIME = "runtime"  # the artifact's graph is right: its runtime, or what stands around it
    UNKNOWN = "unknown"  # what would have to be seen cannot be


@dataclass(frozen=True)
class Sight:
    """One tensor on both sides: how far apart, and a few values where that is worst."""

    name: str
    relative_l2: float
    shape: tuple[int, ...]
    index: tuple[int, ...]
    expected: tuple[float | str, ...]
    """Values along the last axis, around the worst element."""
    came: tuple[float | str, ...]


@dataclass(frozen=True)
class Culprit:
    """Where the answers part ways: what goes in agrees, what comes out does not."""

    stage: Stage
    operator: str
    node: str
    module: str
    """The dotted path in the user's model; "" is the model itself, or not known."""
    line: str
    """Of the user's source: "model.py:12 code"; empty where it is not known."""
    kind: str
    """missing op, extra op, attribute, constant, or a kind of difference (docs/explain.md)."""
    words: str
    output: Sight
    inputs: tuple[Sight, ...] = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """Why an artifact does not answer as the original does."""

    bundle: str
    stage: Stage
    said: str
    """One sentence."""
    lane: str = ""
    call: str = ""
    culprits: tuple[Culprit, ...] = ()
    """The most upstream one first."""
    differences: Mapping[str, Difference] = field(default_factory=dict)
    """Per output, of what the artifact answered in its own runtime."""
    steps: tuple[str, ...] = ()
    """The mistakes in declared steps that give the artifact's answers, by name; several where they
    cannot be told apart."""
    runs: int = 0
    """How often a graph, whole or in part, was run to find it."""
    untold: tuple[str, ...] = ()
    """What could not be told, and what to type for it."""
