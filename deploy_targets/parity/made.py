"""Made-up inputs: the questions' record, the sizes to try, seeded arrays that fit a spec."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deploy_targets.records import Array, DynamicAxis, Signature, Tensors, TensorSpec


@dataclass(frozen=True)
class Question:
    """Inputs in the model's terms, and what asking them is there to catch."""

    name: str
    why: str
    inputs: Tensors
    synthetic: bool
    optional: bool = False
    """A probe: left out where the original itself has no numbers for an answer."""


def sizes_to_try(axis: DynamicAxis) -> tuple[int, ...]:
    """Three sizes or more: the least, the next, one in between, and the largest if it is small."""
    # A range without a real end must not make inputs that no memory holds.
    between = min(round(math.sqrt(max(axis.minimum, 1) * axis.maximum)) + 2, axis.minimum + 1024)
    wanted = {axis.minimum, axis.minimum + 1, between, axis.maximum if axis.maximum <= 16 else 0}
    return tuple(sorted(size for size in wanted if axis.minimum <= size <= axis.maximum))


def synthetic(signature: Signature, sizes: Mapping[str, int], seed: int) -> dict[str, Array]:
    """Seeded inputs that fit dtype and range. Axes not named take their first size to try."""
    full = {axis.name: sizes_to_try(axis)[0] for axis in signature.axes} | dict(sizes)
    generator = np.random.default_rng(seed)
    return {spec.name: _random(spec, full, generator) for spec in signature.inputs}


def shape_of(spec: TensorSpec, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of a tensor whose dynamic axes have these sizes."""
    return tuple(dim if isinstance(dim, int) else _size(dim, sizes) for dim in spec.shape)


def _random(spec: TensorSpec, sizes: Mapping[str, int], generator: np.random.Generator) -> Array:
    shape = shape_of(spec, sizes)
    if spec.dtype == "bool":
        return generator.random(shape) < 0.5
    if "int" in spec.dtype:
        # Without a declared range only 0 and 1 are safe: a larger one may index past a table.
        low, high = spec.range or (0, 1)
        return generator.integers(int(low), int(high), shape, endpoint=True).astype(spec.dtype)
    if spec.range:
        return generator.uniform(*spec.range, shape).astype(spec.dtype)
    return generator.standard_normal(shape).astype(spec.dtype)


def _size(dim: str, sizes: Mapping[str, int]) -> int:
    parts = dim.split("*")
    return math.prod(int(part) if part.isdigit() else sizes[part] for part in parts)
