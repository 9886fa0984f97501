"""Tensor data as JSON writes it <-> numpy. Strict: a number that would change is refused.

A list is either flat, in row-major order, or nested exactly as the shape says. Numbers that JSON
does not have are the strings "NaN", "Infinity" and "-Infinity", as in protobuf's JSON mapping.
"""

from __future__ import annotations

import math
from itertools import chain

import numpy as np

from serving.model import Tensor
from serving.refusals import Refused, shown

NON_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_TAKES: dict[str, frozenset[type]] = {
    "b": frozenset({bool}),
    "i": frozenset({int}),
    "u": frozenset({int}),
    "f": frozenset({int, float, str}),
}


def array_from(data: object, tensor: Tensor, shape: tuple[int, ...]) -> np.ndarray:
    """The tensor that `data` spells. Raises Refused."""
    flat = _flat(data, tensor, shape)
    takes = _TAKES[tensor.known.numpy.kind]
    kinds = set(map(type, flat))
    if not kinds <= takes:
        position = next(i for i, value in enumerate(flat) if type(value) not in takes)
        raise _not_a_value(tensor, flat, position)
    spelled = 0
    if str in kinds:
        flat, spelled = _with_numbers(flat, tensor)
    return _exact(flat, tensor, spelled).reshape(shape)


def _flat(data: object, tensor: Tensor, shape: tuple[int, ...]) -> list:
    if type(data) is not list:
        raise Refused(422, f'input {tensor.name!r}: "data" must be a list, got {shown(data)}')
    if not (data and type(data[0]) is list):
        if len(data) != math.prod(shape):
            raise Refused(
                422,
                f"input {tensor.name!r}: expected {math.prod(shape)} values for shape "
                f"{list(shape)}, got {len(data)}",
            )
        return data
    rows: list = [data]
    for size in shape:
        if any(type(row) is not list or len(row) != size for row in rows):
            raise Refused(
                422, f'input {tensor.name!r}: "data" is not nested as shape {list(shape)} says'
            )
        rows = list(chain.from_iterable(rows))
    return rows


def _with_numbers(flat: list, tensor: Tensor) -> tuple[list, int]:
    spelled = [i for i, value in enumerate(flat) if type(value) is str]
    numbers = list(flat)
    for position in spelled:
        if flat[position] not in NON_FINITE:
            raise _not_a_value(tensor, flat, position)
        numbers[position] = NON_FINITE[flat[position]]
    return numbers, len(spelled)


def _exact(flat: list, tensor: Tensor, spelled: int) -> np.ndarray:
    try:
        with np.errstate(over="ignore"):
            array = np.array(flat, dtype=tensor.known.numpy)
    except OverflowError:
        raise Refused(
            422, f"input {tensor.name!r}: a value does not fit {tensor.datatype}"
        ) from None
    # A finite number that became infinite was too large for the datatype.
    if array.dtype.kind == "f" and array.size - np.count_nonzero(np.isfinite(array)) != spelled:
        raise Refused(422, f"input {tensor.name!r}: a value is too large for {tensor.datatype}")
    return array


def _not_a_value(tensor: Tensor, flat: list, position: int) -> Refused:
    return Refused(
        422,
        f"input {tensor.name!r}: expected {tensor.datatype}, got {shown(flat[position])} "
        f"at position {position}",
    )


def data_of(array: np.ndarray) -> list:
    """The flat list that stands for `array` in JSON."""
    flat = array.ravel().tolist()
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return flat
    return [value if math.isfinite(value) else _spelling(value) for value in flat]


def _spelling(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
