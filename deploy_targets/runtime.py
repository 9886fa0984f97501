"""The protocols of what can be run: the original model, and an artifact in its runtime.

`verify/`, `targets/`, `frontends/` and `testing/` look here; none of them looks at another.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from deploy_targets.records import Answer, Bundle, Call, Capture, Signature, Tensors


class Model(Protocol):
    """The original, runnable as it is. `run` is the oracle; `capture` writes a graph."""

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
    def float64(self) -> bool:
        """Whether `run` can answer in float64."""

    def run(self, inputs: Tensors, *, float64: bool = False) -> Tensors:
        """Answers in the model's own names and layout; with `float64`, computed in float64."""

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
