"""How other projects decide that an export is right, as one number each.

Written from what they say of their checks, not from their code. In: `Seen`, what was expected and
what was answered. Out: a score; a rule accepts where the score is at most its threshold. That lets
each threshold be moved to where the rule raises no false alarm, so that rules can be compared at
equal cost. Every rule but Optimum's (one input) and onnx2tf's (inputs of ones) is given all our
cases, which is more than it would ask by itself. To add one: a function and its line in RULES.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deploy_targets.records import Array, Tensors

Wide = NDArray[np.float64]

FINE, WRONG = -math.inf, math.inf
"""Scores of what a rule has nothing against, and of what it refuses whatever its threshold."""
ANYTHING = 1.7e308
"""The threshold of a rule that limits nothing: all that it refuses is what it cannot compare."""


@dataclass(frozen=True)
class Pair:
    """The original's answer to one case, and the artifact's."""

    want: Tensors
    got: Tensors


@dataclass(frozen=True)
class Seen:
    """What a rule may look at. `ones` is the case of inputs that are all ones."""

    cases: Sequence[Pair]
    ones: Pair | None = None


@dataclass(frozen=True)
class Rule:
    """A project's check, its threshold as published, and what that threshold is of."""

    name: str
    score: Callable[[Seen], float]
    published: float
    of: str
    warns_only: bool = False

    def accepts(self, seen: Seen, threshold: float | None = None) -> bool:
        """Whether it finds nothing wrong; written as "is within", so that NaN is refused."""
        return self.score(seen) <= (self.published if threshold is None else threshold)


def ultralytics(seen: Seen) -> float:
    """The share of rows with another top-1, where an output has classes along its last axis."""
    apart = [
        np.mean(want.argmax(-1) != got.argmax(-1))
        for want, got in _floats(seen.cases)
        if want.ndim > 1 and want.shape == got.shape and want.shape[-1] > 1
    ]
    return float(max(apart, default=FINE))


def mmdeploy(seen: Seen) -> float:
    """Draws pictures for a person to compare: no tensor is checked."""
    return FINE


def olive(seen: Seen) -> float:
    """The largest difference. A NaN is larger than nothing, and so passes."""
    if _mismatched(seen.cases):
        return WRONG
    with np.errstate(all="ignore"):
        largest = [np.abs(want - got).max(initial=0.0) for want, got in _floats(seen.cases)]
    return min(float(max((d for d in largest if not np.isnan(d)), default=FINE)), ANYTHING)


def model_navigator(seen: Seen) -> float:
    """Refuses NaN, infinities and a wrong count of outputs; differences are only reported."""
    for pair in seen.cases:
        if len(pair.want) != len(pair.got):
            return WRONG
        if not all(np.isfinite(_wide(array)).all() for array in pair.got.values()):
            return WRONG
    # Moved, the largest difference that it would report becomes its limit.
    return olive(seen)


def optimum(seen: Seen) -> float:
    """allclose at 1e-4 (and 1e-5 of the value) on one input."""
    return _close(seen.cases[:1], of_value=0.1)


def ai_hub_models(seen: Seen) -> float:
    """The lowest peak signal-to-noise ratio of any output, negated."""
    if _mismatched(seen.cases):
        return WRONG
    return max((-_psnr(want, got) for want, got in _floats(seen.cases)), default=FINE)


def onnx2tf(seen: Seen) -> float:
    """The largest difference on ones, by the best permutation of axes; NaN is 0, 1-D is skipped."""
    if seen.ones is None:
        return FINE
    if set(seen.ones.want) != set(seen.ones.got):
        return WRONG
    apart = [_permuted(want, got) for want, got in _floats([seen.ones]) if want.ndim > 1]
    return max(apart, default=FINE)


def executorch(seen: Seen) -> float:
    """allclose at 1e-1 and 4e-2 of the value, in units of both; NaN equals NaN."""
    return 10 * _close(seen.cases, of_value=0.4, equal_nan=True)


def polygraphy(seen: Seen) -> float:
    """The smaller of absolute and relative difference, of the worst element."""
    if _mismatched(seen.cases):
        return WRONG
    worst = FINE
    for want, got in _floats(seen.cases):
        with np.errstate(all="ignore"):
            apart = np.abs(want - got)
            both = np.minimum(apart, np.where(apart == 0, 0.0, apart / np.abs(want)))
        worst = max(worst, _largest(both, want == got))
    return worst


RULES = (
    Rule("Ultralytics", ultralytics, ANYTHING, "share of rows with another top-1"),
    Rule("MMDeploy", mmdeploy, ANYTHING, "nothing"),
    Rule("Olive", olive, ANYTHING, "largest difference"),
    Rule("Model Navigator", model_navigator, ANYTHING, "largest difference, reported"),
    Rule("Optimum", optimum, 1e-4, "largest difference on one input", warns_only=True),
    Rule("AI Hub Models", ai_hub_models, ANYTHING, "negated PSNR in dB, printed"),
    Rule("onnx2tf", onnx2tf, 1e-4, "largest difference on ones"),
    Rule("ExecuTorch suite", executorch, 1.0, "multiple of atol 1e-1, rtol 4e-2"),
    Rule("Polygraphy", polygraphy, 1e-5, "smaller of absolute and relative difference"),
)


def _close(pairs: Sequence[Pair], of_value: float, equal_nan: bool = False) -> float:
    """The smallest t such that |want - got| <= t + of_value * t * |want| everywhere."""
    if _mismatched(pairs):
        return WRONG
    worst = FINE
    for want, got in _floats(pairs):
        with np.errstate(all="ignore"):
            ratio = np.abs(want - got) / (1 + of_value * np.abs(want))
        same = want == got
        if equal_nan:
            same |= np.isnan(want) & np.isnan(got)
        worst = max(worst, _largest(ratio, same))
    return worst


def _largest(ratio: Wide, same: NDArray[np.bool_]) -> float:
    """The largest ratio; NaN is the worst of all, unless both said the same."""
    found = np.where(same, 0.0, ratio)
    return WRONG if np.isnan(found).any() else float(found.max(initial=0.0))


def _psnr(want: Wide, got: Wide) -> float:
    with np.errstate(all="ignore"):
        apart = float(np.mean((want - got) ** 2)) if want.size else 0.0
        peak = float(np.abs(want).max(initial=0.0)) or 1.0
    if not math.isfinite(apart):
        return -ANYTHING  # printed like any other, and below every floor
    return 10 * math.log10(peak**2 / apart) if apart else math.inf


def _permuted(want: Wide, got: Wide) -> float:
    want, got = np.nan_to_num(want), np.nan_to_num(got)
    fitting = (
        got.transpose(axes)
        for axes in itertools.permutations(range(got.ndim))
        if tuple(got.shape[axis] for axis in axes) == want.shape
    )
    return min((float(np.abs(want - g).max(initial=0.0)) for g in fitting), default=WRONG)


def _floats(pairs: Sequence[Pair]) -> Iterator[tuple[Wide, Wide]]:
    """Every output that both have, as float64."""
    for pair in pairs:
        for name in sorted(set(pair.want) & set(pair.got)):
            yield _wide(pair.want[name]), _wide(pair.got[name])


def _wide(array: Array) -> Wide:
    return np.asarray(array, np.float64)


def _mismatched(pairs: Sequence[Pair]) -> bool:
    """Whether arrays cannot even be subtracted: missing, or of another shape."""
    return any(_shapes(pair.want) != _shapes(pair.got) for pair in pairs)


def _shapes(tensors: Tensors) -> Mapping[str, tuple[int, ...]]:
    return {name: array.shape for name, array in tensors.items()}
