"""How sure the original is of its own answers, element by element.

In: a model and its cases. Out: per case and float output one standard deviation of what other
roundings do to each element, per output the noise as a whole, and the names of what was varied.
To add a source: a `Rounding` of the model's, or a generator beside `_rows_alone`.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from deploy_targets.binding import batch_axis, sizes_of
from deploy_targets.parity import tasks
from deploy_targets.parity.compare import relative_l2, rounding
from deploy_targets.records import Array, Case, OutputNoise, Signature, Tensors
from deploy_targets.runtime import Model, Rounding

THOROUGH, SEEDS = 6, 3
"""On the smallest cases everything is varied, with that many seeds of random roundings; on the
others, for the sake of time, only inputs and operands are moved, once, and float64 is asked: it
alone tells what is left of a small difference of large numbers, where a single move may miss it."""

SHORT_ANSWER = 64
"""Answers of fewer numbers are always asked with all seeds: they have too few neighbours to tell
a number that is sure from one that a single run happened to hit."""

CHEAP = (Rounding.CARRIED, Rounding.STEPS, Rounding.DECODER)
"""What costs no more than the plain question, and so is asked of every case."""

CHANCE = 1024
"""How much surer than it is a number can look by chance in a single run, once in some thousand."""

MEDIAN = 0.6745
"""Of how far a single run strays, where one standard deviation is 1."""

FEW = 8
"""Numbers that a slice must have to say what is usual in it."""

Floats = NDArray[np.float64]

INDEPENDENT = 1e-3
"""Relative L2 beyond which rows asked alone are another question: the model mixes its rows."""

ALONE = 1.0 - 1e-6
"""Share of all squared strays in a single one of several runs: a jump, and no spread."""

ULPS, LEAP, ENOUGH = 16, 64, 4
"""A jump is larger than this many units in the last place, and than this many times what is usual
among its neighbours; and only so many runs tell it from a run that happened to stray."""


@dataclass(frozen=True)
class Noise:
    """Cases with their noise, the noise of each output, and what was varied."""

    cases: tuple[Case, ...]
    outputs: Mapping[str, OutputNoise]
    sources: tuple[str, ...]


def noise(model: Model, cases: Sequence[Case], thorough: int = THOROUGH) -> Noise:
    """Asks the model every case again, with other roundings; so many cases with all of them."""
    found: list[Case] = []
    strays: dict[str, list[_Strays]] = {}
    sources: dict[str, None] = {}
    sizes = [sum(array.nbytes for array in case.inputs.values()) for case in cases]
    small = set(sorted(range(len(cases)), key=lambda i: (sizes[i], i))[:thorough])
    for number, case in enumerate(cases):
        varied = list(_varied(model, case, thorough=number in small))
        varied = [(source, _paired(model.signature, case, a)) for source, a in varied]
        sources |= dict.fromkeys(source for source, _ in varied)
        seen = {name: _strays(want, name, varied) for name, want in case.outputs.items()}
        for name, stray in seen.items():
            strays.setdefault(name, []).append(stray)
        told = {name: s.spread for name, s in seen.items() if s.spread is not None}
        found.append(replace(case, noise=told))
    outputs = {name: _overall(several) for name, several in strays.items()}
    return Noise(tuple(found), outputs, tuple(sources))


def _varied(model: Model, case: Case, *, thorough: bool) -> Iterator[tuple[str, Tensors]]:
    """The same question with other roundings, each with the name of what was varied."""
    short = sum(array.size for array in case.outputs.values()) < SHORT_ANSWER
    plain: list[tuple[str, Tensors, Rounding | None, int]] = []
    # A model that compares its inputs as they are (trees) is asked another question by moving them.
    if not getattr(model, "takes_inputs_exactly", False):
        plain.append(("inputs moved by an ulp", _moved(case.inputs), None, 0))
    for kind in model.roundings:
        many = kind in (Rounding.OPERANDS, *CHEAP)
        once = many or kind is Rounding.DOUBLE or thorough
        seeds = range(SEEDS if many and (thorough or short) else int(once))
        plain += [(kind.value, case.inputs, kind, seed) for seed in seeds]
    for source, inputs, rounding_of, seed in plain:
        answer = _tried(model, inputs, rounding_of, seed)
        if answer is not None and _alike(answer, case.outputs):
            yield source, answer
    with contextlib.suppress(Exception):
        # A model that takes no single row fails, which says nothing of its roundings.
        if (alone := _rows_alone(model, case)) is not None:
            yield "each row of a batch alone", alone


def _tried(model: Model, inputs: Tensors, kind: Rounding | None, seed: int) -> Tensors | None:
    """The answer; None where what was moved is a size or an index, and now asks for another."""
    with contextlib.suppress(Exception):
        return model.run(inputs, rounding=kind, seed=seed)
    return None


def _paired(signature: Signature, case: Case, answer: Tensors) -> dict[str, Array]:
    """Rows of detections are a set: near ties change places, which is no stray."""
    found: dict[str, Array] = dict(answer)
    for spec in signature.outputs:
        want, batch = case.outputs[spec.name], batch_axis(spec, signature.batch)
        kind = tasks.kind_of_rows(spec.kind, batch, want)
        found[spec.name] = tasks.arranged(kind, want, answer[spec.name])
    return found


def _alike(answer: Tensors, want: Tensors) -> bool:
    return all(answer[name].shape == array.shape for name, array in want.items())


def _moved(inputs: Tensors) -> dict[str, Array]:
    draw = np.random.default_rng(0)
    return {
        name: _beside(array, draw) if array.dtype.kind == "f" else array
        for name, array in inputs.items()
    }


def _beside(array: Array, draw: np.random.Generator) -> Array:
    up = draw.random(array.shape) < 0.5
    way = np.where(up, np.inf, -np.inf).astype(array.dtype)
    # What float16 can hold is exact (a pixel, a mask, a zero), and moving it makes steps jump.
    with np.errstate(all="ignore"):
        exact = array.astype(np.float16).astype(array.dtype) == array
    exact &= array.dtype != np.float16
    # A scalar must stay an array: numpy would hand back a number.
    return np.asarray(np.where(exact | (array == 0), array, np.nextafter(array, way)), array.dtype)


def _rows_alone(model: Model, case: Case) -> Tensors | None:
    """The batch asked row by row; None where there is none, or where rows depend on each other."""
    signature = model.signature
    count = sizes_of(signature.inputs, case.inputs).get(signature.batch or "", 1)
    if count < 2 or not all(_splits(signature, name, case.inputs) for name in case.inputs):
        return None
    rows = [model.run(_row(signature, case.inputs, i)) for i in range(count)]
    joined: dict[str, Array] = {}
    for spec in signature.outputs:
        axis = batch_axis(spec, signature.batch)
        if axis is None:
            return None
        joined[spec.name] = np.concatenate([row[spec.name] for row in rows], axis)
        want = case.outputs[spec.name]
        if want.shape != joined[spec.name].shape:
            return None
        if not relative_l2(want, joined[spec.name]) <= INDEPENDENT:
            return None
    return joined


def _splits(signature: Signature, name: str, inputs: Tensors) -> bool:
    spec = next(spec for spec in signature.inputs if spec.name == name)
    axis = batch_axis(spec, signature.batch)
    # Within a product ("batch*time") rows are wider than one.
    return axis is None or spec.shape[axis] == signature.batch


def _row(signature: Signature, inputs: Tensors, index: int) -> dict[str, Array]:
    axes = {spec.name: batch_axis(spec, signature.batch) for spec in signature.inputs}
    return {
        name: array if axes[name] is None else array.take([index], axes[name])
        for name, array in inputs.items()
    }


def _near(array: Array) -> bool:
    """Whether a dtype is compared by distance: floats, ml_dtypes' among them."""
    return array.dtype.kind in "fV"


@dataclass(frozen=True)
class _Strays:
    """How far one output of one case is from itself."""

    spread: NDArray[np.float32] | None
    """Of floats: one standard deviation per element. Of others: how far each jumps, if any does."""
    relative_l2: float
    size: int
    jumped: int
    jump: float


def _strays(want: Array, name: str, varied: Sequence[tuple[str, Tensors]]) -> _Strays:
    # Where nothing could be varied, only the rounding of the answer itself is excused.
    others = [answer[name] for _, answer in varied] or [want]
    runs = np.stack([_stray(want, other) for other in others])
    if not _near(want):
        jumps = np.minimum(runs.max(0), np.finfo(np.float32).max).astype(np.float32)
        many = int(np.count_nonzero(jumps))
        return _Strays(jumps if many else None, 0.0, want.size, many, float(jumps.max(initial=0.0)))
    jumped, jump = _jumps(want, runs)
    spread = _spread(want, runs, [source for source, _ in varied] or [""])
    apart = _size_of(spread, want) if np.isfinite(runs).all() else math.inf
    return _Strays(spread, apart, want.size, jumped, jump)


def _stray(want: Array, other: Array) -> Floats:
    """How far another run is, element by element; infinite where one of them says no number."""
    w, o = want.astype(np.float64), other.astype(np.float64)
    same = (w == o) | (np.isnan(w) & np.isnan(o))
    with np.errstate(all="ignore"):
        apart = np.where(same, 0.0, np.abs(w - o))
    return np.where(np.isnan(apart), np.inf, apart)


def _jumps(want: Array, runs: Floats) -> tuple[int, float]:
    """How many elements leap in one run and rest in the others, and how far the farthest."""
    if len(runs) < ENOUGH:
        return 0, 0.0
    with np.errstate(all="ignore"):
        largest = runs.max(0)
        rest = np.sort(runs, 0)[:-1]
        alone = (rest**2).sum(0) <= (1 - ALONE) * largest**2
        usual = _usual(np.sqrt((runs**2).mean(0)))
    far = largest > np.maximum(ULPS * rounding(want), LEAP * usual)
    jumped = alone & far & np.isfinite(largest)
    return int(jumped.sum()), float(largest[jumped].max(initial=0.0))


def _spread(want: Array, runs: Floats, sources: Sequence[str]) -> NDArray[np.float32]:
    """One standard deviation per element: by the source that moves it most, and never less than
    a unit in its last place."""
    squares = np.where(np.isfinite(runs), runs, 0.0) ** 2
    kinds = [[i for i, s in enumerate(sources) if s == source] for source in dict.fromkeys(sources)]
    spread = np.sqrt(np.max([squares[kind].mean(0) for kind in kinds], 0))
    own = np.maximum(rounding(want), spread)
    # Chance makes an element look surer than it is, but not by more than this.
    floor = np.maximum(own, np.minimum(_usual(spread) / MEDIAN, CHANCE * own))
    largest = np.finfo(np.float32).max
    bounded: NDArray[np.float32] = np.clip(_widened(np.maximum(spread, floor)), 0, largest).astype(
        np.float32
    )
    return bounded


def _widened(spread: Floats) -> Floats:
    """More where few numbers carry all of the noise: the error of one is often twice what is usual,
    that of many together never is, and both are held to the same bound."""
    squares = (spread / (spread.max(initial=0.0) or 1.0)) ** 2
    count = squares.sum() ** 2 / ((squares**2).sum() or 1.0)
    return spread * (1 + 1 / math.sqrt(count)) if 0 < count < SHORT_ANSWER else spread


def _usual(spread: Floats) -> Floats:
    """The least, over the axes, of twice the lower quartile of an element's slice along it: what
    the median would be, were all of the slice alike. Of the whole where all slices are short.

    No element is taken to be surer: a few runs can hit its very value by chance.
    """
    found = [
        2 * np.quantile(spread, 0.25, others, keepdims=True)
        for axis in range(spread.ndim)
        for others in [tuple(other for other in range(spread.ndim) if other != axis)]
        if spread.size and spread.size // spread.shape[axis] >= FEW
    ]
    if not found and spread.size >= FEW:
        found = [np.asarray(2 * np.quantile(spread, 0.25))]
    return functools.reduce(np.minimum, found, np.full(spread.shape, np.inf if found else 0.0))


def _overall(several: Sequence[_Strays]) -> OutputNoise:
    size = sum(s.size for s in several)
    return OutputNoise(
        max(s.relative_l2 for s in several),
        sum(s.jumped for s in several) / size if size else 0.0,
        max(s.jump for s in several),
    )


def _size_of(spread: NDArray[np.float32], want: Array) -> float:
    """The root mean square of the noise over that of the answer."""
    w = np.where(np.isfinite(want), want, 0).astype(np.float64)
    largest = float(np.abs(w).max(initial=0.0))
    if not largest:
        return 0.0
    return float(np.linalg.norm(spread / largest) / np.linalg.norm(w / largest))
