"""Learns a model's outputs by running it. In: declared inputs and axes. Out: a Signature.

Each dynamic axis is given two sizes or more. A dimension that never moves is a number, one that
moves with an axis carries its name, one that moves with a product is written "batch*time" or
"batch*4". What moves in no such way (time // 2) gets a name of its own, "<output>_dim_1".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deploy_targets.errors import UnsupportedModel
from deploy_targets.frontends.arrays import check_dtype, dtype_of
from deploy_targets.frontends.flatten import declared
from deploy_targets.records import Array, Dim, DynamicAxis, Signature, Tensors, TensorSpec

Sizes = Mapping[str, int]
Run = Callable[[Tensors], Mapping[str, Array]]


@dataclass(frozen=True)
class Round:
    """One run: the sizes of the axes, what went in, what came out under the model's own names."""

    sizes: Sizes
    inputs: Tensors
    outputs: Mapping[str, Array]


def infer(
    inputs: Sequence[TensorSpec],
    axes: Sequence[DynamicAxis],
    outputs: Sequence[tuple[str, str]],
    batch: str | None,
    run: Run,
) -> Signature:
    """The whole signature. Raises what `run` raises; UnsupportedModel where outputs vary."""
    rounds = []
    for sizes in sizes_to_run(axes):
        given = probe(inputs, sizes)
        rounds.append(Round(sizes, given, run(given)))
    natural = list(rounds[0].outputs)
    named = declared(natural, outputs)
    specs = tuple(
        replace(_output(found, rounds), name=name, kind=kind)
        for found, (name, kind) in zip(natural, named, strict=True)
    )
    signature = Signature(tuple(inputs), specs, tuple(axes), batch)
    if batch is None and (found_batch := _batch(signature, run)):
        return replace(signature, batch=found_batch)
    return signature


def sizes_to_run(axes: Sequence[DynamicAxis]) -> list[Sizes]:
    """All axes at their first size, then each at its second, then all at their third."""
    first: dict[str, int] = {}
    second: dict[str, int] = {}
    third: dict[str, int] = {}
    for axis in axes:
        taken = {*first.values(), *second.values()}
        # Sizes that differ between axes tell them apart; 1 hides behind broadcasting.
        few = range(axis.minimum, min(axis.maximum, axis.minimum + 4 * len(axes) + 2) + 1)
        good = sorted(few, key=lambda size: (size < 2, size in taken, size))
        first[axis.name], second[axis.name] = good[0], good[min(1, len(good) - 1)]
        # Neighbours can hide a rounding: 4 // 2 is 5 // 2.
        third[axis.name] = min(axis.maximum, 2 * axis.minimum + 16)
    moved = [{**first, name: size} for name, size in second.items()]
    every = [first, *moved, third]
    return [sizes for index, sizes in enumerate(every) if sizes not in every[:index]]


def probe(inputs: Sequence[TensorSpec], sizes: Sizes) -> dict[str, Array]:
    """Seeded inputs of those sizes, within the declared range; integers are 1 where none is."""
    generator = np.random.default_rng(0)
    return {spec.name: _values(spec, sizes, generator) for spec in inputs}


def _values(spec: TensorSpec, sizes: Sizes, generator: np.random.Generator) -> Array:
    shape = tuple(dim if isinstance(dim, int) else sizes[dim] for dim in spec.shape)
    if spec.dtype == "bool":
        return np.asarray(generator.random(shape) < 0.5)
    low, high = spec.range or (0.0, 1.0)
    if "int" in spec.dtype:
        # One is a legal index, length and count nearly everywhere; zero is not always a length.
        values = generator.integers(int(low), int(high), shape, endpoint=True)
        return np.asarray(values if spec.range else np.ones(shape)).astype(spec.dtype)
    floats = generator.uniform(low, high, shape) if spec.range else generator.normal(size=shape)
    return np.asarray(floats).astype(dtype_of(spec.dtype))


def _output(name: str, rounds: Sequence[Round]) -> TensorSpec:
    arrays = [round.outputs.get(name) for round in rounds]
    first = arrays[0]
    assert first is not None, "names are taken from the first round"
    same = all(a is not None and (a.dtype, a.ndim) == (first.dtype, first.ndim) for a in arrays)
    if not same:
        raise UnsupportedModel(
            f"output {name} has another dtype or rank when the sizes of the inputs change",
            hint="make forward return the same outputs for every size",
        )
    shapes = [a.shape for a in arrays if a is not None]
    sizes = [round.sizes for round in rounds]
    dims = [_dim([shape[axis] for shape in shapes], sizes) for axis in range(first.ndim)]
    shape = tuple(f"{name}_dim_{i}" if dim is None else dim for i, dim in enumerate(dims))
    return TensorSpec(name, check_dtype(f"output {name}", first.dtype.name), shape)


def _dim(seen: Sequence[int], sizes: Sequence[Sizes]) -> Dim | None:
    if len(set(seen)) == 1:
        return seen[0]
    for names in _products(list(sizes[0])):
        products = [math.prod(each[name] for name in names) for each in sizes]
        times, rest = divmod(seen[0], products[0]) if products[0] else (0, 1)
        if not rest and all(s == times * p for s, p in zip(seen, products, strict=True)):
            return "*".join([*names, *([str(times)] if times > 1 else [])])
    return None


def _products(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for count in range(1, len(names) + 1):
        yield from itertools.combinations(names, count)


def _batch(signature: Signature, run: Run) -> str | None:
    """An undeclared batch: the axis that leads every tensor, if splitting along it changes nothing.

    It is tried, not guessed from a name: three rows at once against one and two.
    """
    leads = {str(spec.shape[0]) if spec.shape else "" for spec in signature.inputs}
    axis = next((axis for axis in signature.axes if {axis.name} == leads), None)
    leading = [str(spec.shape[0]).split("*")[0] if spec.shape else "" for spec in signature.outputs]
    if axis is None or axis.minimum > 1 or axis.maximum < 3 or {axis.name} != set(leading):
        return None
    whole = probe(signature.inputs, {**sizes_to_run(signature.axes)[0], axis.name: 3})
    parts = [
        run({name: array[rows] for name, array in whole.items()})
        for rows in (slice(0, 1), slice(1, 3))
    ]
    at_once = run(whole)
    joined = {name: np.concatenate([part[name] for part in parts]) for name in at_once}
    same = all(_close(array, joined[name]) for name, array in at_once.items())
    return axis.name if same else None


def _close(one: Array, other: Array) -> bool:
    if one.shape != other.shape:
        return False
    a, b = one.astype(np.float64), other.astype(np.float64)
    return bool(np.linalg.norm(a - b) <= 1e-3 * np.linalg.norm(a) or np.array_equal(a, b))
