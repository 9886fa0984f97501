"""Answers that the user wrote down beside a sample's inputs: arrays named as the model's outputs.

In: samples as read, then the original's own answers. Out: inputs and expected answers apart; an
error where the original, as it runs here, does not say what a sample says. Without this an .onnx
file is its own witness: whatever the runtime here makes of it is taken for what it means.

Integers, booleans, NaN and infinities must be equal. How far a float may be off is a `Tolerance`;
the one that holds by itself is meant for answers of another machine, framework or version.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.records import Array, Case, Signature, Tensors


@dataclass(frozen=True)
class Tolerance:
    """How far an element may be from what is expected: the sum of these."""

    of_itself: float = 1e-3
    of_the_largest: float = 1e-5
    """Of the largest magnitude in its tensor: what is near zero is left of larger numbers."""
    absolute: float = 1e-7
    last_bits: float = 2.0
    """Units in the last place of its type, where the first two are less: float16, bfloat16."""


LENIENT = Tolerance()
Wide = NDArray[np.float64]


def split(
    samples: Mapping[str, Tensors], signature: Signature
) -> tuple[dict[str, Tensors], dict[str, Tensors]]:
    """Per sample: what is asked, and what is expected. Samples that expect nothing are left out.

    A name that is both an input and an output is an input. A name that is neither stays with the
    inputs, where it is refused by name.
    """
    outputs = {spec.name for spec in signature.outputs} - {spec.name for spec in signature.inputs}
    asked: dict[str, Tensors] = {}
    wanted: dict[str, Tensors] = {}
    for sample, tensors in samples.items():
        asked[sample] = {name: a for name, a in tensors.items() if name not in outputs}
        if answers := {name: a for name, a in tensors.items() if name in outputs}:
            wanted[sample] = answers
    return asked, wanted


def check(
    cases: Iterable[Case],
    wanted: Mapping[str, Tensors],
    tolerances: Mapping[str, Tolerance] = MappingProxyType({}),
) -> None:
    """Compares the original's answers with those expected, where there are any.

    `tolerances`: per output, where the user said how exactly the answers are meant.

    Raises ConfigError for an expected answer of another dtype or rank, and UnsupportedModel where
    the original answers otherwise.
    """
    for case in cases:
        for name, want in wanted.get(case.name, {}).items():
            tolerance = tolerances.get(name, LENIENT)
            _check(case.name, name, want, case.outputs[name], tolerance)


def _check(sample: str, output: str, want: Array, got: Array, tolerance: Tolerance) -> None:
    if want.dtype != got.dtype or want.ndim != got.ndim:
        raise ConfigError(
            f"sample {sample} expects {output} to be {_shown(want)}, and it is {_shown(got)}",
            hint="record the answer again, or take it out of the sample",
        )
    if want.shape != got.shape:
        raise _contradicted(sample, output, f"it is {_shown(got)}, expected {_shown(want)}")
    apart, allowed = distance(want, got), allowance(want, tolerance)
    # Written as "is within", so that NaN is refused.
    within = apart <= allowed
    if not within.all():
        worst = np.unravel_index(int(np.argmax(_excess(apart, allowed))), want.shape)
        at = "".join(f"[{index}]" for index in worst)
        raise _contradicted(
            sample,
            output,
            f"{output}{at} is {got[worst]}, expected {want[worst]} "
            f"({np.count_nonzero(~within)} of {want.size} elements are further off than "
            f"{allowed[worst]:.1e})",
        )


def distance(want: Array, got: Array) -> Wide:
    """How far apart each element is; 0 for the same infinity, and for NaN in the same place."""
    if want.dtype.kind in "iub":
        return np.where(want == got, 0.0, np.inf)
    w, g = want.astype(np.float64), got.astype(np.float64)
    same = (w == g) | (np.isnan(w) & np.isnan(g))
    with np.errstate(all="ignore"):
        return np.where(same, 0.0, np.abs(w - g))


def allowance(want: Array, tolerance: Tolerance = LENIENT) -> Wide:
    """How far each element may be off; 0 where it is no finite float."""
    wide = np.abs(want.astype(np.float64))
    if want.dtype.kind in "iub":
        return np.zeros(want.shape)
    finite = np.isfinite(wide)
    bits = tolerance.last_bits * _eps(want.dtype)
    largest = float(wide.max(initial=0.0, where=finite))
    near = max(tolerance.of_the_largest, bits) * largest + tolerance.absolute
    return np.where(finite, max(tolerance.of_itself, bits) * np.where(finite, wide, 0) + near, 0.0)


def _eps(dtype: np.dtype[np.generic]) -> float:
    import ml_dtypes

    limits: Any = ml_dtypes.finfo  # untyped
    return float(limits(dtype).eps)


def _excess(apart: Wide, allowed: Wide) -> Wide:
    return np.where(apart <= allowed, -1.0, np.where(np.isnan(apart), np.inf, apart - allowed))


def _shown(array: Array) -> str:
    return f"{array.dtype.name}[{', '.join(map(str, array.shape))}]"


def _contradicted(sample: str, output: str, said: str) -> UnsupportedModel:
    return UnsupportedModel(
        f"the original, as it runs here, does not give the {output} that sample {sample} expects: "
        f"{said}",
        hint="find out which of them is right: record the answer again with the model's own "
        f"framework, or take {output} out of the sample if the one recorded is out of date",
    )
