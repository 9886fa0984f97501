"""The protocols of what can be run: the original model, and an artifact in its runtime.

`verify/`, `targets/`, `frontends/` and `testing/` look here; none of them looks at another.
"""

from __future__ import annotations

import enum
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from deploy_targets.records import Answer, Bundle, Call, Capture, Signature, Tensors


class Rounding(enum.StrEnum):
    """Another way to compute the same answers: what is varied to see how sure a model is."""

    DOUBLE = "float64 against float32"
    OPERANDS = "every operand moved by an ulp at random"
    THREADS = "one thread against several"
    OPTIMIZED = "all graph optimisations against none"
    CARRIED = "the model's own noise carried through the steps after it"
    STEPS = "values between steps moved by an ulp"
    DECODER = "decoded pixels moved by a level"


class Model(Protocol):
    """The original, runnable as it is. `run` is the oracle; `capture` writes a graph.

    Where nothing is computed of the inputs before they are compared, as in trees, it may say so:
    `takes_inputs_exactly = True`. Then moving them by an ulp is another question, and no rounding.
    """

    @property
    def name(self) -> str: ...

    @property
    def digest(self) -> str:
        """SHA-256 over code and weights, the same in whatever folder they lie."""

    @property
    def signature(self) -> Signature: ...

    @property
    def captures(self) -> tuple[Capture, ...]:
        """The ways to get a graph out of it, best first."""

    @property
    def roundings(self) -> tuple[Rounding, ...]:
        """The other ways in which `run` can compute an answer."""

    def run(self, inputs: Tensors, *, rounding: Rounding | None = None, seed: int = 0) -> Tensors:
        """Answers in the model's own names and layout, computed as it is or with a rounding."""

    def second_opinion(self, inputs: Tensors) -> Tensors | None:
        """What an independent implementation answers; None where there is none."""

    def capture(self, capture: Capture, folder: Path) -> None:
        """Writes the dialect's file into `folder`. Raises ConversionFailed, UnsupportedModel."""


class Session(Protocol):
    """One bundle, loaded in one lane."""

    @property
    def where(self) -> str:
        """What really runs: name, version, machine."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be set up as it is where the bundle will live."""

    def run(self, call: Call) -> Answer: ...


class Runner(Protocol):
    """A started world (a sandbox, a browser, an emulator). It outlives bundles."""

    def open(self, bundle: Bundle, lane: str) -> AbstractContextManager[Session]:
        """Loads the bundle. Raises NotRun where this lane cannot be run here."""
