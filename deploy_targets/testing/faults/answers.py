"""Faults of what stands around a model: answers are altered on their way to the caller.

Rows lie along the first axis, classes along the last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from deploy_targets.records import Array, Tensors
from deploy_targets.testing.faults.fault import Random, answers, over_calls
from deploy_targets.testing.faults.parameters import share_of
from deploy_targets.testing.faults.weights import narrowed


@answers("the share of the elements of each output; 0: one element", 1, 0.01, 0)
def nan_in_one_element(said: Tensors, strength: float, random: Random) -> Tensors:
    """An element is NaN."""
    return _some_elements(said, strength, random, lambda part: np.full_like(part, np.nan))


@answers("the share of the elements of each output; 0: one element", 1, 0.01, 0)
def infinity_in_one_element(said: Tensors, strength: float, random: Random) -> Tensors:
    """An element is infinite."""
    return _some_elements(said, strength, random, lambda part: np.full_like(part, np.inf))


@answers("the share of the elements of each output; 0: one element", 1, 0.1, 0.01, 0)
def sign_flipped(said: Tensors, strength: float, random: Random) -> Tensors:
    """An element has the other sign."""
    return _some_elements(said, strength, random, np.negative)


@answers("the share of the rows, from the last, that change places; 0: two rows", 1, 0.5, 0)
def batch_reversed(said: Tensors, strength: float, random: Random) -> Tensors:
    """The rows of the batch come in reverse order."""

    def reversed_(array: Array) -> Array:
        part = max(2, round(strength * len(array)))
        return np.concatenate([array[:-part], array[-part:][::-1]])

    return _rows(said, reversed_)


@answers("how many rows are right", 1, 2, 3, 4)
def batch_baked_in(said: Tensors, strength: float, random: Random) -> Tensors:
    """Only the first rows are computed; the others repeat them."""
    right = round(strength)
    return _rows(said, lambda array: array[np.arange(len(array)) % right])


@answers("1: the whole output; there is no weaker form", 1)
def output_missing(said: Tensors, strength: float, random: Random) -> Tensors:
    """The last output is not given."""
    return {name: said[name] for name in sorted(said)[:-1]}


@answers("1: every float output; there is no weaker form", 1)
def dtype_changed(said: Tensors, strength: float, random: Random) -> Tensors:
    """Float outputs come as float16."""
    return _floats(said, lambda array: array.astype(np.float16))


@answers("the bits kept of the fraction: 7 is bfloat16, 10 is float16", 7, 10, 14, 18)
def dtype_narrowed(said: Tensors, strength: float, random: Random) -> Tensors:
    """Float outputs were narrowed and widened again."""
    return _floats(said, lambda array: narrowed(array, strength))


@over_calls("the share of the elements held at the first call's mean", 1, 0.3, 0.01, 0)
def output_frozen(said: Sequence[Tensors], strength: float, random: Random) -> Tensors:
    """A part of each output is a constant."""

    def frozen(name: str, array: Array) -> Array:
        changed = np.array(array)
        held = share_of(array.size, strength)
        changed.reshape(-1)[array.size - held :] = said[0][name].mean()
        return changed

    return {n: frozen(n, a) if _is_float(a) else a for n, a in said[-1].items()}


def _some_elements(
    said: Tensors, share: float, random: Random, change: Callable[[Array], Array]
) -> Tensors:
    """The same elements of each float output, whatever the strength; more of them with more."""

    def changed(array: Array) -> Array:
        order = random.permutation(array.size)[: share_of(array.size, share)]
        copy = np.array(array)
        copy.flat[order] = change(copy.flat[order])
        return copy

    return _floats(said, changed)


def _floats(said: Tensors, change: Callable[[Array], Array]) -> Tensors:
    return {name: change(a) if _is_float(a) else a for name, a in said.items()}


def _rows(said: Tensors, change: Callable[[Array], Array]) -> Tensors:
    return {name: change(a) if a.ndim and len(a) > 1 else a for name, a in said.items()}


def _is_float(array: Array) -> bool:
    return array.dtype.kind == "f" and array.size > 0
