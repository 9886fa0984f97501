"""A tensor of the graph, in ONNX's layout, with channels last, or both, whichever was asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Tensor = Any


class UnsupportedModel(Exception):
    """The error of that name, for the process that called this one."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass
class Value:
    """One of the three is there; what else is asked for is made once."""

    _first: Tensor | None = None
    """As ONNX has it."""
    _last: Tensor | None = None
    """Axis 1 moved behind all others."""
    held: np.ndarray[Any, Any] | None = None
    """What it holds, where that is known before anything runs."""

    @property
    def is_last(self) -> bool:
        """Whether it would have to be moved to be had in ONNX's layout."""
        return self._first is None and self.held is None

    @property
    def rank(self) -> int:
        """How many axes it has; known for each value."""
        return len(self.shape)

    @property
    def shape(self) -> list[int | None]:
        """Its sizes in ONNX's layout, None where they are known only when it runs."""
        if self.held is not None:
            return list(self.held.shape)
        if self._first is not None:
            return list(self._first.shape.as_list())
        assert self._last is not None
        sizes = self._last.shape.as_list()
        return [sizes[0], sizes[-1], *sizes[1:-1]]

    @property
    def dtype(self) -> Any:
        """TensorFlow's."""
        return self.last().dtype if self.is_last else self.plain().dtype

    def plain(self) -> Tensor:
        """In ONNX's layout."""
        import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

        if self._first is None and self.held is not None:
            self._first = tf.constant(self.held)
        elif self._first is None:
            rank = self.rank
            self._first = tf.transpose(self._last, [0, rank - 1, *range(1, rank - 1)])
        return self._first

    def last(self) -> Tensor:
        """With its channels, which are axis 1, behind all other axes."""
        import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]

        order = [0, *range(2, self.rank), 1]
        if self._last is None and self.held is not None:
            self._last = tf.constant(self.held.transpose(order))
        elif self._last is None:
            self._last = tf.transpose(self._first, order)
        return self._last


@dataclass(frozen=True)
class Node:
    """One node of the graph, its attributes as Python has them."""

    operator: str
    name: str
    attributes: Mapping[str, Any]
    inputs: Sequence[Value | None]
    outputs: int
    opset: int = 18

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute."""
        return self.attributes.get(name, default)

    def has(self, index: int) -> bool:
        """Whether an input that may be left out is there."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def value(self, index: int) -> Value:
        """An input that must be there."""
        value = self.inputs[index]
        assert value is not None, f"{self.name} has no input {index}"
        return value

    def plain(self, index: int) -> Tensor:
        """An input in ONNX's layout."""
        return self.value(index).plain()

    def held(self, index: int, what: str) -> np.ndarray[Any, Any]:
        """An input that must be a constant."""
        found = self.value(index).held
        if found is None:
            raise self.refused(f"its {what} is computed when it runs")
        return found

    def numbers(self, index: int, attribute: str) -> list[int] | None:
        """What older operators have as an attribute and newer ones as a constant input."""
        if self.has(index):
            return [int(n) for n in self.held(index, attribute).reshape(-1)]
        found = self.get(attribute)
        return None if found is None else [int(n) for n in found]

    def refused(self, why: str) -> UnsupportedModel:
        """The error that says that this node cannot be carried."""
        return UnsupportedModel(
            f"TF.js cannot run {self.operator} of node {self.name}: {why}",
            hint='choose runtime = "onnxruntime-web", which takes every operator of ONNX',
        )


Operator = Callable[[Node], Any]
OPERATORS: dict[str, Operator] = {}
"""ONNX's name -> what computes it: a Value or a tensor, or one of these per output."""


def operator(*names: str) -> Callable[[Operator], Operator]:
    """Registers a function under ONNX's names for what it computes."""

    def register(function: Operator) -> Operator:
        OPERATORS.update(dict.fromkeys(names, function))
        return function

    return register
