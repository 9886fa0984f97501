"""What kind of difference lies between two tensors. In: what was wanted and what came. Out: words.

Pure numpy. Each kind is a function that either explains the difference or says None; they are
asked in order, the most certain first. To add one, write it and put it into `_KINDS`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deploy_targets.records import Array, Tensors

Flat = np.ndarray[tuple[int, ...], np.dtype[np.float64]]

EXPLAINED = 0.03
"""What an explanation may leave over, as a share of the difference that it explains."""
MOST_SLICES = 512
"""Slices along one axis up to which it is tried whether they come in another order."""


@dataclass(frozen=True)
class Difference:
    """A kind (one word, for programs) and what is known of it (for people)."""

    kind: str
    words: str


def same(want: Array, got: Array) -> bool:
    """Whether every bit agrees, NaN included."""
    return (
        want.dtype == got.dtype
        and want.shape == got.shape
        and (want is got or bool(np.array_equal(want, got, equal_nan=want.dtype.kind in "fc")))
    )


def apart(want: Array, got: Array) -> float:
    """|want - got| / |want|, 0 where all agrees, inf where they cannot be compared."""
    if want.shape != got.shape or want.dtype.kind in "OUS" or got.dtype.kind in "OUS":
        return 0.0 if same(want, got) else float("inf")
    w, g = _flat(want), _flat(got)
    equal = (w == g) | (np.isnan(w) & np.isnan(g))
    if not np.isfinite(g[~equal]).all() or not np.isfinite(w[~equal]).all():
        return float("inf")
    w, g = np.where(np.isfinite(w), w, 0), np.where(equal, np.where(np.isfinite(w), w, 0), g)
    scale = float(np.abs(w).max(initial=0.0)) or float(np.abs(g).max(initial=0.0)) or 1.0
    w, g = w / scale, g / scale
    distance, size = float(np.linalg.norm(w - g)), float(np.linalg.norm(w))
    return 0.0 if distance == 0 else distance / size if size else float("inf")


def worst_index(want: Array, got: Array) -> tuple[int, ...]:
    """Where two tensors of one shape are furthest apart; what is not finite is furthest."""
    if want.shape != got.shape or not want.size:
        return ()
    if want.dtype.kind in "OUS":
        distance = (want != got).ravel().astype(float)
    else:
        w, g = _flat(want), _flat(got)
        with np.errstate(all="ignore"):
            distance = np.where((w == g) | (np.isnan(w) & np.isnan(g)), 0.0, np.abs(w - g))
        distance = np.where(np.isnan(distance), np.inf, distance)
    return tuple(int(i) for i in np.unravel_index(int(distance.argmax()), want.shape))


def kind_of_difference(want: Array, got: Array) -> Difference:
    """Why `got` is not `want`. Kinds: none, dtype, shape, layout, not finite, frozen, scaled,
    clipped, precision, other."""
    if same(want, got):
        return Difference("none", "every bit agrees")
    if want.shape != got.shape:
        return _other_shape(want, got)
    if want.dtype.kind in "OUS" or not want.size:
        return Difference("other", f"{_count(want, got)} of {want.size} elements differ")
    if apart(want, got) == 0:
        return Difference("dtype", f"{got.dtype}, expected {want.dtype}; the values agree")
    found = (kind(want, got) for kind in _KINDS)
    return next((f for f in found if f), Difference("other", _places(want, got)))


def kinds_of_answers(want: Tensors, got: Tensors) -> dict[str, Difference]:
    """The kind of each output that differs; outputs that stand in each other's place are found."""
    found: dict[str, Difference] = {}
    for name, wanted in want.items():
        if name not in got:
            found[name] = Difference("missing", "the output was not given")
            continue
        said = kind_of_difference(wanted, got[name])
        if said.kind == "none":
            continue
        swapped = _stands_for(name, wanted, got)
        found[name] = Difference("exchanged", swapped) if swapped else said
    for name in sorted(set(got) - set(want)):
        found[name] = Difference("extra", "no output of the original")
    return found


def _stands_for(name: str, want: Array, got: Tensors) -> str:
    for other, array in got.items():
        if (
            other != name
            and array.shape == want.shape
            and apart(want, array) < 1e-3 < apart(want, got[name])
        ):
            return f"what should be {name} comes as {other}"
    return ""


def _other_shape(want: Array, got: Array) -> Difference:
    shapes = f"shape {list(got.shape)}, expected {list(want.shape)}"
    if want.size == got.size and want.dtype.kind not in "OUS":
        for axes in _orders(want.ndim):
            turned = want.transpose(axes)
            if turned.shape == got.shape and apart(turned, got) < 1e-3:
                return Difference("layout", f"{shapes}: axes come in the order {list(axes)}")
        if apart(want.ravel(), got.ravel()) < 1e-3:
            return Difference("layout", f"{shapes}: the same elements in the same order")
    return Difference("shape", shapes)


def _not_finite(want: Array, got: Array) -> Difference | None:
    w, g = _flat(want), _flat(got)
    nan = int((np.isnan(g) & ~np.isnan(w)).sum())
    infinite = int((np.isinf(g) & (g != w)).sum())
    lost = int((~np.isfinite(w) & np.isfinite(g)).sum())
    said = {"NaN": nan, "infinite": infinite, "finite where the original is not": lost}
    words = [f"{count} of {g.size} elements are {what}" for what, count in said.items() if count]
    return Difference("not finite", "; ".join(words)) if words else None


def _frozen(want: Array, got: Array) -> Difference | None:
    first = got.flat[0]
    if got.size < 2 or not bool((got == first).all()) or bool((want == want.flat[0]).all()):
        return None
    return Difference("frozen", f"every element is {first!s}")


def _layout(want: Array, got: Array) -> Difference | None:
    """The same numbers in other places."""
    if want.size < 3 or _multiset_apart(want, got) > EXPLAINED * apart(want, got):
        return None
    for axis in range(want.ndim):
        if want.shape[axis] > 1 and _explains(np.flip(want, axis), want, got):
            return Difference("layout", f"axis {axis} is reversed")
    for axes in _orders(want.ndim):
        turned = want.transpose(axes)
        if turned.shape == got.shape and _explains(turned, want, got):
            return Difference("layout", f"axes come in the order {list(axes)}")
        if _explains(turned.reshape(got.shape), want, got):
            said = f"as if axes in the order {list(axes)} had been read as {list(got.shape)}"
            return Difference("layout", said)
    for axis in range(want.ndim):
        if (order := _order_of_slices(want, got, axis)) is not None:
            shown = f"{order[:8]}{'…' if len(order) > 8 else ''}".replace("]…", ", …]")
            return Difference("layout", f"the slices of axis {axis} come in the order {shown}")
    return None


def _order_of_slices(want: Array, got: Array, axis: int) -> list[int] | None:
    count = want.shape[axis]
    if not 2 <= count <= MOST_SLICES or want.size == count == 2:
        return None
    rows_w = _rows(want, axis)
    rows_g = _rows(got, axis)
    # |a - b|^2 by the scalar product: count * count numbers, and not as many tensors.
    squares = (rows_w**2).sum(1)[None] + (rows_g**2).sum(1)[:, None] - 2 * rows_g @ rows_w.T
    order = [int(i) for i in squares.argmin(1)]
    if sorted(order) != list(range(count)):
        return None
    return order if _explains(want.take(order, axis), want, got) else None


def _scaled(want: Array, got: Array) -> Difference | None:
    """got = a * want + b, everywhere or along one axis."""
    w, g = _flat(want), _flat(got)
    if w.size < 8 or want.dtype.kind not in "fiu":
        return None
    a, b = _line(w, g)
    if _explains(a * w + b, w, g):
        return Difference("scaled", _as_line(float(a), float(b), g))
    for axis in range(want.ndim):
        rows_w, rows_g = _rows(want, axis), _rows(got, axis)
        if rows_w.shape[0] > 1 and rows_w.shape[1] >= 8:
            a, b = _line(rows_w, rows_g)
            if _explains(a[:, None] * rows_w + b[:, None], rows_w, rows_g):
                low, high = float(a.min()), float(a.max())
                said = f"each slice of axis {axis} has a scale ({low:.4g} to {high:.4g})"
                return Difference("scaled", f"{said} and an offset of its own")
    return None


def _clipped(want: Array, got: Array) -> Difference | None:
    w, g = _flat(want), _flat(got)
    for one, other, words in (
        (w, g, "the artifact's values are clipped to"),
        (g, w, "the artifact's values are not clipped to"),
    ):
        low, high = float(other.min()), float(other.max())
        if low < high and _explains(np.clip(one, low, high), w, g, target=other):
            return Difference("clipped", f"{words} {low:.4g}..{high:.4g}")
    return None


def _precision(want: Array, got: Array) -> Difference | None:
    """Most elements are off, each by no more than rounding to a shorter number would."""
    w, g = _flat(want), _flat(got)
    if want.dtype.kind not in "fc" or got.dtype.kind not in "fc" or w.size < 4:
        return None
    distance = np.abs(w - g)
    if np.count_nonzero(distance) < 0.25 * np.count_nonzero(w):
        return None
    size = max(float(np.sqrt(np.mean(w**2))), 1e-300)
    # Sums over rounded numbers stray by a few roundings of their largest parts.
    level = float(np.sqrt(np.mean(distance**2))) / size
    names = (("float32", 2.0**-23), ("float16", 2.0**-10), ("bfloat16", 2.0**-7))
    for name, epsilon in names:
        if level <= epsilon and float(distance.max()) <= 16 * epsilon * size:
            return Difference("precision", f"as far apart as rounding to {name} puts them")
    step = float(np.abs(w).max()) / 127
    if float(distance.max()) <= 1.5 * step:
        return Difference("precision", "as far apart as rounding to 8 bits puts them")
    return None


def _places(want: Array, got: Array) -> str:
    """Where the differences lie, if it is not everywhere."""
    w, g = _flat(want).reshape(want.shape), _flat(got).reshape(got.shape)
    wrong = np.abs(w - g) > 1e-6 * max(float(np.abs(w).max(initial=0.0)), 1e-300)
    for axis in range(want.ndim):
        others = tuple(i for i in range(want.ndim) if i != axis)
        hit = np.flatnonzero(wrong.any(axis=others))
        if 0 < len(hit) <= max(1, want.shape[axis] // 8) < want.shape[axis]:
            shown = ", ".join(map(str, hit[:6])) + (", …" if len(hit) > 6 else "")
            return f"only in {len(hit)} of {want.shape[axis]} slices of axis {axis}: {shown}"
    return f"{int(wrong.sum())} of {want.size} elements differ by more than a millionth"


_KINDS: tuple[Callable[[Array, Array], Difference | None], ...] = (
    _not_finite,
    _frozen,
    _layout,
    _scaled,
    _clipped,
    _precision,
)


def _explains(
    explained: Array | Flat, want: Array | Flat, got: Array | Flat, target: Flat | None = None
) -> bool:
    aim = _flat(got) if target is None else target
    before = float(np.linalg.norm(_flat(want) - _flat(got)))
    return float(np.linalg.norm(_flat(explained) - aim)) <= EXPLAINED * before


def _multiset_apart(want: Array, got: Array) -> float:
    return apart(np.sort(_flat(want)), np.sort(_flat(got)))


def _rows(array: Array, axis: int) -> Flat:
    return np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1).astype(np.float64)


def _line(w: Flat, g: Flat) -> tuple[Flat, Flat]:
    """The least squares line along the last axis."""
    mw, mg = w.mean(-1, keepdims=True), g.mean(-1, keepdims=True)
    spread = ((w - mw) ** 2).sum(-1)
    a = ((w - mw) * (g - mg)).sum(-1) / np.where(spread > 0, spread, 1.0)
    a = np.where(spread > 0, a, 1.0)
    return a, mg[..., 0] - a * mw[..., 0]


def _as_line(a: float, b: float, got: Flat) -> str:
    size = float(np.abs(got).max())
    if abs(b) <= 1e-3 * size:
        return f"every element is {a:.5g} times what it should be"
    if abs(a - 1) <= 1e-3:
        return f"every element is off by {b:.5g}"
    return f"every element is {a:.5g} times what it should be, and {b:+.5g}"


def _orders(ndim: int) -> list[tuple[int, ...]]:
    """All orders of axes but the given one; of the last ones alone where there are many."""
    kept = max(0, ndim - 4)
    moved = itertools.permutations(range(kept, ndim))
    return [(*range(kept), *order) for order in moved][1:]


def _count(want: Array, got: Array) -> int:
    return int(np.count_nonzero(want != got))


def _flat(array: Array | Flat) -> Flat:
    return np.asarray(array, np.float64).ravel()
