"""Faults of a runtime under load and of postprocessing: stale, exchanged, clipped, racing answers.

Rows lie along the first axis, classes along the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from deploy_targets.records import Array, Tensors
from deploy_targets.testing.faults.fault import Random, answers, over_calls
from deploy_targets.testing.faults.parameters import share_of
from deploy_targets.testing.faults.surgery import Numbers

Change = Callable[[Numbers], Numbers]


@over_calls("the share of the rows, from the last, that are stale; 0: one row", 1, 0.5, 0)
def answer_of_the_call_before(said: Sequence[Tensors], strength: float, random: Random) -> Tensors:
    """A buffer is not cleared: rows are those of the call before."""
    before = said[-2] if len(said) > 1 else {}

    def stale(name: str, array: Array) -> Array:
        old = before.get(name)
        if old is None or not array.ndim or old.shape[1:] != array.shape[1:] or not len(old):
            return array
        part = share_of(len(array), strength)
        fresh = len(array) - part
        changed = np.array(array)
        changed[fresh:] = old[np.arange(fresh, len(array)) % len(old)]
        return changed

    return {name: stale(name, array) if array.size else array for name, array in said[-1].items()}


@over_calls("the share of the elements that were not written yet; 0: one", 0.1, 0.01, 0)
def threads_race(said: Sequence[Tensors], strength: float, random: Random) -> Tensors:
    """Elements are zero, others in each call: a thread read before another wrote."""
    return _floats(said[-1], lambda array: _elements(array, strength, random, np.zeros_like))


@over_calls("the deviation from run to run, in standard deviations of the output", 0.1, 1e-3, 1e-5)
def different_every_time(said: Sequence[Tensors], strength: float, random: Random) -> Tensors:
    """Answers differ from run to run."""

    def noisy(array: Numbers) -> Numbers:
        return np.asarray(array + strength * array.std() * random.standard_normal(array.shape))

    return _floats(said[-1], noisy)


@answers("the share of the rows, from the last; 0: one row", 1, 0.5, 0)
def outputs_exchanged(said: Tensors, strength: float, random: Random) -> Tensors:
    """Two outputs are exchanged; where none have equal shapes, under each other's names."""
    names = sorted(said)
    pairs = [(one, other) for i, one in enumerate(names) for other in names[i + 1 :]]
    for one, other in pairs:
        here, there = said[one], said[other]
        if (here.shape, here.dtype) == (there.shape, there.dtype) and here.ndim:
            late = slice(len(here) - share_of(len(here), strength), None)
            left, right = np.array(here), np.array(there)
            left[late], right[late] = there[late], here[late]
            return {**said, one: left, other: right}
    swapped = pairs[:1] if strength == 1 else []
    return {**said, **{n: said[m] for one, other in swapped for n, m in _both(one, other)}}


@answers("the share of the classes, from the last, that are missing; 0: one", 0.5, 0.1, 0)
def class_missing(said: Tensors, strength: float, random: Random) -> Tensors:
    """The last classes are zero."""

    def cut_short(array: Numbers) -> Numbers:
        changed = np.array(array)
        changed[..., array.shape[-1] - share_of(array.shape[-1], strength) :] = 0
        return changed

    return _classes(said, cut_short)


@answers("the share of the classes, from the last, that move; 0: two", 1, 0.3, 0)
def classes_one_off(said: Tensors, strength: float, random: Random) -> Tensors:
    """Classes are counted from one instead of zero: each stands where the next belongs."""

    def moved(array: Numbers) -> Numbers:
        part = max(2, round(strength * array.shape[-1]))
        tail = np.roll(array[..., -part:], 1, axis=-1)
        return np.concatenate([array[..., :-part], tail], axis=-1)

    return _classes(said, moved)


@answers("the share of the way to 0…1", 1, 0.1, 0.01)
def clipped_to_unit_range(said: Tensors, strength: float, random: Random) -> Tensors:
    """Outputs are clipped to 0…1."""
    return _floats(said, lambda array: array + strength * (np.clip(array, 0, 1) - array))


@answers("the share of the elements that are cut off; 0: the largest", 0.5, 0.1, 0.01, 0)
def output_saturated(said: Tensors, strength: float, random: Random) -> Tensors:
    """The largest elements are cut off at a value that the others do not reach."""

    def cut_off(array: Numbers) -> Numbers:
        ordered = np.sort(array, axis=None)
        bound = ordered[max(0, array.size - 1 - share_of(array.size, strength))]
        return np.asarray(np.minimum(array, bound))

    return _floats(said, cut_off)


@answers("1: all of it; there is no weaker form", 1)
def logarithm_taken(said: Tensors, strength: float, random: Random) -> Tensors:
    """Logarithms are given where plain numbers belong."""
    return _floats(said, lambda array: np.log(np.maximum(np.abs(array), 1e-12)))


@answers("the factor, less one", 1, 0.1, 0.01, 1e-3, 1e-4)
def output_scaled(said: Tensors, strength: float, random: Random) -> Tensors:
    """Outputs are too large by a factor: another temperature, another unit."""
    return _floats(said, lambda array: array * (1 + strength))


@answers("how far, in standard deviations of the output", 1, 0.1, 0.01, 1e-3, 1e-4)
def output_offset(said: Tensors, strength: float, random: Random) -> Tensors:
    """Outputs are too large by an offset."""
    return _floats(said, lambda array: array + strength * (array.std() or np.abs(array).max()))


@answers("the share of the elements; 0: one", 1, 0.1, 0)
def integer_one_off(said: Tensors, strength: float, random: Random) -> Tensors:
    """Whole numbers and flags are answered one off."""

    def wrong(array: Numbers) -> Numbers:
        if array.dtype == np.bool_:
            return _elements(array, strength, random, np.logical_not)
        return _elements(array, strength, random, lambda part: part + 1)

    whole = {name: a for name, a in said.items() if a.dtype.kind in "iub" and a.size}
    return {name: wrong(array) if name in whole else array for name, array in said.items()}


@answers("the share of each square, from its start, that is transposed", 1, 0.5, 0)
def answer_transposed(said: Tensors, strength: float, random: Random) -> Tensors:
    """Two axes of equal size, rows included, are swapped in what is answered."""

    def turned(array: Numbers) -> Numbers:
        last, before = array.shape[-1], array.shape[-2] if array.ndim > 1 else 0
        if last != before or last < 2:
            return array
        changed, part = np.array(array), max(2, round(strength * last))
        changed[..., :part, :part] = np.swapaxes(array[..., :part, :part], -1, -2)
        return changed

    return {name: turned(array) for name, array in said.items()}


def _both(one: str, other: str) -> tuple[tuple[str, str], tuple[str, str]]:
    return (one, other), (other, one)


def _elements(array: Numbers, share: float, random: Random, change: Change) -> Numbers:
    changed = np.array(array)
    order = random.permutation(array.size)[: share_of(array.size, share)]
    changed.flat[order] = change(changed.flat[order])
    return changed


def _floats(said: Tensors, change: Change) -> Tensors:
    return {
        name: change(array).astype(array.dtype) if array.dtype.kind == "f" and array.size else array
        for name, array in said.items()
    }


def _classes(said: Tensors, change: Change) -> Tensors:
    wide = {n for n, a in said.items() if a.ndim > 1 and a.shape[-1] > 1 and a.size}
    return {name: change(array) if name in wide else array for name, array in said.items()}
