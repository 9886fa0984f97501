"""Are these arrays what the model declares? Every message names the tensor, and both sides."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from serving.datatypes import spelled
from serving.model import Description, Tensor
from serving.refusals import Refused, shown

if TYPE_CHECKING:
    import numpy as np


def check_names(given: Sequence[str], declared: Iterable[str], kind: str) -> None:
    """Each given name is declared and is given once. Raises Refused."""
    expected = list(declared)
    for position, name in enumerate(given):
        if name not in expected:
            raise Refused(
                422, f"no {kind} is named {shown(name)}; this model has {shown(expected)}"
            )
        if name in given[:position]:
            raise Refused(422, f"{kind} {shown(name)} is given twice")


def check_complete(given: Iterable[str], declared: Iterable[str]) -> None:
    """No declared input is missing. Raises Refused."""
    if missing := sorted(set(declared) - set(given)):
        raise Refused(422, f"missing input{'s' * (len(missing) > 1)}: {', '.join(missing)}")


def check_dtype(tensor: Tensor, dtype: np.dtype) -> None:
    """The same numbers in the other byte order will do; another kind of numbers will not."""
    expected = tensor.known.numpy
    if dtype.newbyteorder("=") != expected:
        raise Refused(
            422, f"input {tensor.name!r}: expected {spelled(expected)}, got {spelled(dtype)}"
        )


def check_shape(tensor: Tensor, shape: Sequence[int], description: Description) -> None:
    """Rank, fixed sizes, and the range of each named axis. Raises Refused."""
    where = f"input {tensor.name!r}: expected shape {_written(tensor.axes)}, got {list(shape)}"
    if len(shape) != len(tensor.axes):
        raise Refused(422, f"{where}: {len(tensor.axes)} axes, not {len(shape)}")
    for axis, size in zip(tensor.axes, shape, strict=True):
        low, high = (axis, axis) if isinstance(axis, int) else description.axes.get(axis, (0, size))
        if not low <= size <= high:
            allowed = f"{low}" if low == high else f"{low} to {high}"
            name = "" if isinstance(axis, int) else f" {axis!r}"
            raise Refused(422, f"{where}: axis{name} must be {allowed}, not {size}")


def check_all(inputs: Mapping[str, np.ndarray], description: Description) -> None:
    """Each shape by itself, then all together. Raises Refused."""
    shapes = {name: array.shape for name, array in inputs.items()}
    for name, shape in shapes.items():
        check_shape(description.inputs[name], shape, description)
    check_together(description, shapes)


def check_together(description: Description, shapes: Mapping[str, Sequence[int]]) -> None:
    """An axis that several inputs share has one size; so has a product of axes. Raises Refused."""
    seen: dict[str, tuple[int, str]] = {}
    named = [
        (axis, size, name)
        for name, shape in shapes.items()
        for axis, size in zip(description.inputs[name].axes, shape, strict=True)
        if isinstance(axis, str)
    ]
    for axis, size, name in named:
        first, other = seen.setdefault(axis, (size, name))
        if first != size:
            raise Refused(
                422,
                f"axis {axis!r} is {first} in input {other!r} and {size} in input {name!r}; "
                "it must be the same",
            )
    for axis, size, name in named:
        factors = axis.split("*")
        if all(factor in seen for factor in factors):
            _check_product(name, axis, size, math.prod(seen[factor][0] for factor in factors))


def check_alone(outputs: Mapping[str, np.ndarray], alone: Mapping[str, int]) -> None:
    """What can be said of one item only is of one. `alone`: the axis of items. Raises Refused."""
    for name, axis in alone.items():
        if (items := outputs[name].shape[axis]) != 1:
            raise Refused(
                422,
                f"one item a request: {name!r} can be put in words for one item, and these inputs "
                f"make {items}; send them one by one",
            )


def _check_product(name: str, axis: str, size: int, expected: int) -> None:
    if size != expected:
        raise Refused(422, f"input {name!r}: axis {axis!r} must be {expected}, not {size}")


def _written(axes: Sequence[int | str]) -> str:
    return "[" + ", ".join(map(str, axes)) + "]"
