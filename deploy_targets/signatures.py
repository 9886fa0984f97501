"""What goes into a model and what comes out: the records of names, dtypes and shapes."""

from __future__ import annotations

from dataclasses import dataclass

Dim = int | str  # a size, or the name of a dynamic axis ("batch"), or a product ("batch*time")


@dataclass(frozen=True)
class TensorSpec:
    """One input or output: its name, its numpy or ml_dtypes dtype name, and its shape."""

    name: str
    dtype: str
    shape: tuple[Dim, ...]
    kind: str = "plain"  # what an output means, as declared: classifier, embedding, …
    range: tuple[float, float] | None = None  # what an input may hold, as declared


@dataclass(frozen=True)
class DynamicAxis:
    """A named axis and the sizes, both included, that the model takes along it."""

    name: str
    minimum: int
    maximum: int


@dataclass(frozen=True)
class Signature:
    """What goes into a model and what comes out, in the model's own names and layout."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    axes: tuple[DynamicAxis, ...] = ()
    batch: str | None = None  # the one axis along which a case may be split into several calls
