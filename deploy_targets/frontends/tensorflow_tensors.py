"""What TensorFlow says of the tensors at a model's boundary. In: its own specs. Out: ours.

A leading dimension that is open is the batch, in every input; other open ones are named after
their place. Names lose what TensorFlow adds to them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy_targets.errors import UnsupportedModel
from deploy_targets.frontends.arrays import check_dtype
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import Dim, TensorSpec

BATCH = "batch"
PREFIX, SUFFIX = "serving_default_", re.compile(r":\d+$")


@dataclass(frozen=True)
class Given:
    """An input as TensorFlow declares it; the shape is None where not even the rank is known."""

    name: str
    dtype: str
    shape: tuple[int | None, ...] | None
    kind: str = ""
    """"sparse" or "ragged" where it is no plain tensor."""


def cleaned(names: Sequence[str]) -> list[str]:
    """The model's own names, without ":0" and "serving_default_"; all different."""
    found: list[str] = []
    for name in names:
        plain = SUFFIX.sub("", name).removeprefix(PREFIX) or name
        candidate, number = plain, 1
        while candidate in found:
            candidate, number = f"{plain}_{number}", number + 1
        found.append(candidate)
    return found


def specs(given: Sequence[Given], said: SourceSpec) -> tuple[TensorSpec, ...]:
    """Our inputs. `said` knows ranks that TensorFlow does not. Raises UnsupportedModel."""
    declared = {spec.name: spec for spec in said.inputs}
    return tuple(_spec(each, declared.get(each.name)) for each in given)


def _spec(given: Given, declared: TensorSpec | None) -> TensorSpec:
    if given.kind:
        raise UnsupportedModel(
            f"input {given.name} is a {given.kind} tensor; only dense ones cross a boundary",
            hint="take a dense tensor and make the other inside of the model",
        )
    dtype = dtype_of(f"input {given.name}", given.dtype)
    if given.shape is not None:
        return TensorSpec(given.name, dtype, _dims(given.name, given.shape))
    if declared is None:
        raise UnsupportedModel(
            f"input {given.name} does not say how many dimensions it has",
            hint=f'declare it: [inputs.{given.name}] dtype = "{dtype}" shape = ["batch", 4]',
        )
    return TensorSpec(given.name, dtype, declared.shape)


def dtype_of(what: str, name: str) -> str:
    """numpy's name for a type of TensorFlow's. Raises UnsupportedModel for what no target has."""
    if name.startswith("complex"):
        raise UnsupportedModel(
            f"{what} is {name}, which no target carries",
            hint="use tf.math.real(x) and tf.math.imag(x), two real numbers for each",
        )
    return check_dtype(what, "str" if name == "string" else name)


def _dims(name: str, shape: Sequence[int | None]) -> tuple[Dim, ...]:
    return tuple(
        dim if dim is not None else f"{name}_dim_{axis}" if axis else BATCH
        for axis, dim in enumerate(shape)
    )


def tensor_specs(tf: Any, inputs: Sequence[TensorSpec]) -> list[Any]:
    """TensorFlow's specs of our inputs, to trace a function with."""
    return [
        tf.TensorSpec([None if isinstance(d, str) else d for d in spec.shape], spec.dtype)
        for spec in inputs
    ]
