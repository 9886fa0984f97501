"""What a fault is: its name, what it does, where it acts, how strong it can be, and the change.

A fault is written as a function under one of the decorators below. The function's name is the
fault's name, the first paragraph of its docstring is what it says of itself, and the decorator
says what strength means and names the strengths worth trying, from gross to barely visible.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_targets.records import Array, Tensors
from deploy_targets.testing.faults.surgery import Surgery

if TYPE_CHECKING:
    from onnx import ModelProto

Random = np.random.Generator
OfBytes = Callable[[bytes, float, Random], bytes]


class Place(enum.StrEnum):
    """Where a fault acts, and so what its `change` takes and gives."""

    GRAPH = "graph"  # an onnx.ModelProto: the artifact itself is wrong
    INPUTS = "inputs"  # the tensors of one call: preprocessing or layout is wrong
    ANSWERS = "answers"  # the tensors answered to one call: the runtime around it is wrong
    FILE = "file"  # the bytes of one file: storage or transport is wrong


@dataclass(frozen=True)
class Fault:
    """One way to be wrong. `change(thing, strength, seed)` is pure; None: it has no place there.

    With `across_calls` it takes the honest answers to all calls so far, and gives the last anew.
    """

    name: str
    what: str
    place: Place
    means: str  # what strength is a number of
    strengths: tuple[float, ...]  # from gross to barely visible
    change: Callable[[Any, float, int], Any | None]
    across_calls: bool = False


def graph(means: str, *strengths: float) -> Callable[[Callable[[Surgery, float], None]], Fault]:
    """Decorates a function that edits a graph; where it edits nothing, the fault has no place."""

    def made(edit: Callable[[Surgery, float], None]) -> Fault:
        def change(model: ModelProto, strength: float, seed: int) -> ModelProto | None:
            surgery = Surgery(model, seed)
            edit(surgery, strength)
            return surgery.finished()

        return _fault(edit, Place.GRAPH, means, strengths, change)

    return made


def inputs(
    means: str, *strengths: float
) -> Callable[[Callable[[Tensors, float, Random], Tensors]], Fault]:
    """Decorates a function from the tensors of a call to wrong ones."""
    return _of_tensors(Place.INPUTS, means, strengths)


def answers(
    means: str, *strengths: float
) -> Callable[[Callable[[Tensors, float, Random], Tensors]], Fault]:
    """Decorates a function from the answers to one call to wrong ones."""
    return _of_tensors(Place.ANSWERS, means, strengths)


def over_calls(
    means: str, *strengths: float
) -> Callable[[Callable[[Sequence[Tensors], float, Random], Tensors]], Fault]:
    """Decorates a function from the honest answers so far to a wrong last one."""

    def made(edit: Callable[[Sequence[Tensors], float, Random], Tensors]) -> Fault:
        def change(said: Sequence[Tensors], strength: float, seed: int) -> Tensors | None:
            # Each call draws anew, and the same call draws the same.
            wrong = edit(said, strength, np.random.default_rng((seed, len(said))))
            return None if same(said[-1], wrong) else wrong

        return _fault(edit, Place.ANSWERS, means, strengths, change, across_calls=True)

    return made


def file(means: str, *strengths: float) -> Callable[[OfBytes], Fault]:
    """Decorates a function from the bytes of a file to wrong ones."""

    def made(edit: OfBytes) -> Fault:
        def change(raw: bytes, strength: float, seed: int) -> bytes | None:
            wrong = edit(raw, strength, np.random.default_rng(seed))
            return None if wrong == raw else wrong

        return _fault(edit, Place.FILE, means, strengths, change)

    return made


def same(one: Tensors, other: Tensors) -> bool:
    """Whether both hold the same names, dtypes, shapes and numbers; NaN is NaN."""
    return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)


def _same(one: Array, other: Array) -> bool:
    alike = one.dtype == other.dtype and one.shape == other.shape
    return alike and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


def _of_tensors(
    place: Place, means: str, strengths: tuple[float, ...]
) -> Callable[[Callable[[Tensors, float, Random], Tensors]], Fault]:
    def made(edit: Callable[[Tensors, float, Random], Tensors]) -> Fault:
        def change(tensors: Tensors, strength: float, seed: int) -> Tensors | None:
            wrong = edit(tensors, strength, np.random.default_rng(seed))
            return None if same(tensors, wrong) else wrong

        return _fault(edit, place, means, strengths, change)

    return made


def _fault(
    edit: Callable[..., Any],
    place: Place,
    means: str,
    strengths: tuple[float, ...],
    change: Callable[[Any, float, int], Any | None],
    *,
    across_calls: bool = False,
) -> Fault:
    what = " ".join((edit.__doc__ or "").partition("\n\n")[0].split())
    return Fault(edit.__name__, what, place, means, strengths, change, across_calls)
