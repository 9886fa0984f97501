"""What is asked and when an answer is right. In: cases of onnx's suite. Out: one word for each."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

RIGHT, REFUSED, WRONG, CRASH = "right", "refused", "wrong", "crash"
ORDER = (WRONG, CRASH, RIGHT, REFUSED)
"""What counts first where the ways to ask differ."""
LIMITS = np.iinfo(np.int32)


@dataclass(frozen=True)
class Case:
    """One of the suite's, in what a pickle can hold."""

    id: str
    operator: str
    model: bytes
    data: tuple[tuple[tuple[Any, ...], tuple[Any, ...]], ...]
    rtol: float
    atol: float


def held(array: Any) -> Any:
    """A tensor as TF.js takes it; None where it cannot be asked."""
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
        return None
    if array.dtype.kind == "b":
        return array
    if array.dtype.kind == "f":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return array.astype(np.float32)
    if array.size and (array.min() < LIMITS.min or array.max() > LIMITS.max):
        return None
    return array.astype(np.int32)


def wrong(case: Case, wanted: tuple[Any, ...], found: list[Any]) -> str:
    """Why the answers are not the suite's; "" where they are."""
    for expected, answer in zip(wanted, found, strict=True):
        kept = held(expected)
        if kept is None or answer.dtype != kept.dtype or answer.shape != kept.shape:
            there = getattr(expected, "dtype", type(expected)), getattr(expected, "shape", "")
            return f"{answer.dtype} {answer.shape} is not {there[0]} {there[1]}"
        # What the suite computes in float16 it rounds more than TF.js, which has float32.
        least = 1e-3 if expected.dtype.itemsize < 4 and kept.dtype.kind == "f" else 0.0
        rtol, atol = (case.rtol + least, 1e-6) if kept.dtype.kind == "f" else (0.0, 0.0)
        if not np.allclose(
            answer, kept, max(rtol, case.rtol), max(atol, case.atol), equal_nan=True
        ):
            return f"{answer.reshape(-1)[:4]} is not {kept.reshape(-1)[:4]}"
    return ""
