"""Multiply-adds of an operator, from the shapes of its tensors.

In: the operator's name, as the edge dialect of ExecuTorch or ATen writes it, and shapes. Out: how
often it multiplies two numbers and adds the product to a sum; 0 for all operators that do not. To
add an operator: a function, and its line in `COUNTED`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

Shape = Sequence[int]


def multiply_adds(name: str, operands: Sequence[Shape], out: Shape, swapped: bool = False) -> int:
    """Of one call. `swapped`: a convolution that is transposed.

    `operands` are the shapes of its tensors in the order of its arguments, weights included.
    """
    count = COUNTED.get(plain(name))
    return count(operands, out, swapped) if count else 0


def plain(name: str) -> str:
    """ "aten.convolution.default" is "convolution"."""
    parts = [part for part in name.split(".") if part != "aten"]
    return parts[0]


def _convolution(operands: Sequence[Shape], out: Shape, swapped: bool) -> int:
    """Each output element takes a whole filter; transposed, each input element gives one."""
    data, weight = operands[0], operands[1]
    return prod(data if swapped else out) * prod(weight[1:])


def _linear(operands: Sequence[Shape], out: Shape, swapped: bool) -> int:
    return prod(out) * operands[0][-1]


def _addmm(operands: Sequence[Shape], out: Shape, swapped: bool) -> int:
    return prod(out) * operands[1][-1]


def _attention(operands: Sequence[Shape], out: Shape, swapped: bool) -> int:
    """Queries with keys, then the weights with values: [batch, heads, length, width] each."""
    query, key, value = operands[:3]
    return prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


COUNTED: dict[str, Callable[[Sequence[Shape], Shape, bool], int]] = {
    "convolution": _convolution,
    "conv1d": _convolution,
    "conv2d": _convolution,
    "conv3d": _convolution,
    "linear": _linear,
    "mm": _linear,
    "bmm": _linear,
    "mv": _linear,
    "matmul": _linear,
    "addmm": _addmm,
    "baddbmm": _addmm,
    "scaled_dot_product_attention": _attention,
}
"""Operator -> how it is counted."""
