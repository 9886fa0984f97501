"""Measures how far an artifact's answer is from the original's. Decides nothing."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from deploy_targets.binding import in_model_terms
from deploy_targets.records import Answer, Array, Check, Entry, OutputParity

NAN = float("nan")
Flat = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def compare(
    check: Check, answer: Answer, entry: Entry, classifiers: frozenset[str] = frozenset()
) -> tuple[OutputParity, ...]:
    """One measurement per output, sorted by name; outputs too many or too few are among them."""
    expected = in_model_terms(check.expected, entry)
    actual = in_model_terms(answer.outputs, entry)
    dtypes = {port.of: port.spec.dtype for port in entry.outputs}

    def measured(name: str) -> OutputParity:
        want, got = expected.get(name), actual.get(name)
        parity = _measure(check.call.name, name, want, got, dtypes.get(name))
        if name in classifiers and not parity.problem and want is not None and got is not None:
            return dataclasses.replace(parity, top1=top1(want, got))
        return parity

    return tuple(measured(name) for name in sorted({*expected, *actual}))


def relative_l2(want: Array, got: Array) -> float:
    """|want - got| / |want|. Equal infinities and NaN in the same places count as equal."""
    w, g = _comparable(want, got)
    with np.errstate(all="ignore"):
        apart, size = float(np.linalg.norm(w - g)), float(np.linalg.norm(w))
    if apart == 0:
        return 0.0
    return apart / size if size else math.inf


def cosine(want: Array, got: Array) -> float:
    """The cosine of the angle between two tensors, in float64; 1 where both are zero.

    Equal infinities and NaN in the same places are left out.
    """
    w, g = _comparable(want, got)
    with np.errstate(all="ignore"):
        scale = float(np.linalg.norm(w)) * float(np.linalg.norm(g))
        if scale == 0:
            return 1.0 if not w.any() and not g.any() else 0.0
        return float(w @ g) / scale


def top1(want: Array, got: Array) -> float:
    """The share of rows (all axes but the last) whose largest element is where it should be.

    Where the original has several equal largest elements, any of them is right.
    """
    if not want.size or not want.ndim:
        return 1.0
    rows_w, rows_g = want.reshape(-1, want.shape[-1]), got.reshape(-1, got.shape[-1])
    chosen = np.take_along_axis(rows_w, rows_g.argmax(-1)[:, None], -1)[:, 0]
    best = rows_w.max(-1)
    # An original that says NaN is right where the artifact says it at the same place.
    return float(np.mean((chosen == best) | (np.isnan(chosen) & np.isnan(best))))


def _measure(
    call: str, name: str, want: Array | None, got: Array | None, dtype: str | None
) -> OutputParity:
    def broken(problem: str) -> OutputParity:
        return OutputParity(call, name, NAN, NAN, NAN, None, problem)

    if got is None:
        return broken("missing")
    if want is None:
        return broken("not an output of the model")
    if want.shape != got.shape:
        return broken(f"shape {list(got.shape)}, expected {list(want.shape)}")
    if dtype is not None and got.dtype.name != dtype:
        return broken(f"dtype {got.dtype.name}, expected {dtype}")
    if want.dtype.kind in "iub":
        wrong = float(np.count_nonzero(want != got))
        return OutputParity(call, name, wrong, wrong, 1.0 if not wrong else 0.0)
    with np.errstate(all="ignore"):
        apart = np.abs(_flat(want) - _flat(got))
    finite = apart[np.isfinite(_flat(want))]
    largest = float(finite.max()) if finite.size else 0.0
    return OutputParity(call, name, largest, relative_l2(want, got), cosine(want, got))


def _comparable(want: Array, got: Array) -> tuple[Flat, Flat]:
    """Both as float64, without what is not finite and equal, and scaled so that no square
    overflows or vanishes."""
    w, g = _flat(want), _flat(got)
    same = ~np.isfinite(w) & ((w == g) | (np.isnan(w) & np.isnan(g)))
    w, g = np.where(same, 0, w), np.where(same, 0, g)
    largest = float(np.abs(w).max(initial=0.0, where=np.isfinite(w)))
    return (w / largest, g / largest) if largest else (w, g)


def _flat(array: Array) -> Flat:
    return array.astype(np.float64).ravel()
