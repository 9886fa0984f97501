"""Are the model's numbers in the package? In: a package's constants and the original's. Out: notes.

Each tensor that the model uses must be there, in whatever order its axes lie: rounded as ordered,
and not otherwise; or within a fold (`constants`), to the rounding of a few operations. What
is there but differs is refused; what is not found at all is told.
"""

from __future__ import annotations

import enum
import hashlib
import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deploy_targets.converters.coreml.constants import Constants, Doubles, Fold, Piece
from deploy_targets.errors import ConversionFailed
from deploy_targets.records import Array

ALIKE = 0.9
"""The correlation from which two tensors of one shape are one tensor, changed."""
_TOO_FEW = 16
"""Numbers that may be alike by chance."""
_SUFFIXES = re.compile(r"(_to_fp16|_to_fp32|_promoted|_quantized|_\d+)+$")


class How(enum.Enum):
    """How a tensor is there."""

    EQUAL = "with its axes in some order"
    REORDERED = "with the same numbers in another order"


@dataclass
class Found:
    """How many numbers of the model were found, and how; the names of what was not."""

    equal: int = 0
    folded: int = 0
    reordered: int = 0
    lost: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """All numbers that the model uses."""
        return self.equal + self.folded + self.reordered + sum(self.lost.values())


def compare(held: Mapping[str, Array], constants: Constants, half: bool) -> Found:
    """Raises ConversionFailed naming a tensor that is there and differs."""
    package, found = _Package(held, half), Found()
    own = {name: _exactly(name, values) for name, values in constants.own.items()}
    how = {name: package.explain(piece) for name, piece in own.items()}
    folded, unmet = _folded(package, constants.folds)
    for name, piece in own.items():
        size = piece.values.size
        if how[name] is How.EQUAL:
            found.equal += size
        elif name in folded:
            found.folded += size
        elif how[name] is How.REORDERED:
            found.reordered += size
        else:
            found.lost[name] = size
    package.refuse_misnamed(own)
    lost = [piece for piece in unmet if piece.of & found.lost.keys()]
    package.refuse_changed([*(own[name] for name in found.lost), *lost])
    return found


def _folded(package: _Package, folds: Sequence[Fold]) -> tuple[set[str], list[Piece]]:
    """The names for which all that they went into was found; and the pieces that were not."""
    names: set[str] = set()
    unmet: list[Piece] = []
    for fold in folds:
        absent = [piece for piece in fold.pieces if package.explain(piece) is not How.EQUAL]
        bad = {name for piece in absent for name in piece.of}
        names |= {name for piece in fold.pieces for name in piece.of} - bad
        unmet += absent
    return names, unmet


def notes(found: Found, half: bool) -> tuple[str, ...]:
    """What a reader must know of it."""
    if not found.total:
        return ()

    def share(count: int) -> str:
        return f"{100 * count / found.total:.4g} %"

    precision = "float16" if half else "float32"
    said = [f"{share(found.equal)} equal"]
    said += [f"{share(found.folded)} folded into others as computed here"] if found.folded else []
    said += [f"{share(found.reordered)} in another order"] if found.reordered else []
    first = f"of the model's {found.total:,} numbers in the package, at {precision}: "
    lost = tuple(
        f"{name} ({size:,} numbers) was not found in the package; its values are not checked"
        for name, size in found.lost.items()
    )
    return (first + ", ".join(said), *lost)


def _exactly(name: str, values: Array) -> Piece:
    return Piece(values, np.zeros(values.shape), frozenset({name}))


class _Package:
    """The package's constants, found by their numbers."""

    def __init__(self, held: Mapping[str, Array], half: bool) -> None:
        self.held, self.half = held, half
        # Names of which the numbers come from nothing known.
        self.unexplained = {*held}
        self._by_numbers: dict[str, list[str]] = defaultdict(list)
        self._by_size: dict[int, list[str]] = defaultdict(list)
        for name, values in held.items():
            self._by_numbers[_digest(values)].append(name)
            self._by_size[values.size].append(name)

    def explain(self, piece: Piece) -> How | None:
        """How it is there; None where it is not."""
        for values in self._forms(piece.values):
            if names := self._by_numbers.get(_digest(values)):
                same = [n for n in names if any(_arranged(values, self.held[n]))]
                self.unexplained -= {*(same or names)}
                return How.EQUAL if same else How.REORDERED
        near = [name for name in self._by_size[piece.values.size] if self._near(piece, name)]
        self.unexplained -= {*near}
        return How.EQUAL if near else None

    def _forms(self, values: Array) -> Iterator[Array]:
        """What the package may hold of it: never a number that float16 cannot hold."""
        if values.dtype.kind != "f":
            yield values
            return
        yield values.astype(np.float32)
        if self.half and not _overflows(values):
            yield values.astype(np.float16)

    def _near(self, piece: Piece, name: str) -> bool:
        """Within the slack, and half a unit in the last place of what the package holds."""
        return any(bool(within.all()) for within in _within(piece, self.held[name], self.half))

    def refuse_misnamed(self, own: Mapping[str, Piece]) -> None:
        """Raises ConversionFailed where what bears the name of a tensor of the model is another.

        The converter keeps a tensor's name as long as it keeps its numbers.
        """
        named: dict[str, list[Piece]] = defaultdict(list)
        for name, piece in own.items():
            named[re.sub(r"\W", "_", name)].append(piece)
        for name, values in self.held.items():
            bare = _SUFFIXES.sub("", name)
            wanted = [p for key in {bare, bare[2:], name, name[2:]} for p in named.get(key, ())]
            same = [piece for piece in wanted if piece.values.size == values.size]
            if same and not any(self._is(piece, name) for piece in same):
                raise _differs(same[0], name, values)

    def _is(self, piece: Piece, name: str) -> bool:
        forms = (any(_arranged(form, self.held[name])) for form in self._forms(piece.values))
        return any(forms) or self._near(piece, name)

    def refuse_changed(self, missing: Sequence[Piece]) -> None:
        """Raises ConversionFailed where what is missing is there, but not with its numbers."""
        for piece in missing:
            for name in sorted(self.unexplained & {*self._by_size[piece.values.size]}):
                if self._is_changed(piece, name):
                    raise _differs(piece, name, self.held[name])

    def _is_changed(self, piece: Piece, name: str) -> bool:
        if piece.certain and _sizes(piece.values) == _sizes(self.held[name]):
            return True
        if any(
            2 * np.count_nonzero(within) > within.size
            for within in _within(piece, self.held[name], self.half)
        ):
            return True
        return any(_alike(one, other) for one, other in _side_by_side(piece, self.held[name]))


def _within(piece: Piece, held: Array, half: bool) -> Iterator[NDArray[np.bool_]]:
    """For each order of the axes: which numbers are those of the piece, rounded as ordered."""
    if held.dtype.kind != "f" or piece.values.dtype.kind != "f":
        return
    with np.errstate(invalid="ignore"):
        units = np.spacing(np.abs(held if half else held.astype(np.float32)))
    slack = piece.slack.ravel()
    for axes in _permuted_like(held, piece.values):
        one = held.astype(np.float64).transpose(axes).ravel()
        off = np.abs(one - piece.values.astype(np.float64).ravel())
        yield off <= slack + units.astype(np.float64).transpose(axes).ravel() / 2


def _side_by_side(piece: Piece, held: Array) -> Iterator[tuple[Doubles, Doubles]]:
    for axes in _permuted_like(held, piece.values):
        one = held.astype(np.float64).transpose(axes).ravel()
        yield one, piece.values.astype(np.float64).ravel()


def _differs(piece: Piece, name: str, held: Array) -> ConversionFailed:
    off = [np.abs(one - other) for one, other in _side_by_side(piece, held)]
    best = min(off, key=lambda each: float(np.sum(each)), default=np.array([np.nan]))
    return ConversionFailed(
        f"the package's {name} is not {' with '.join(sorted(piece.of))}: of {best.size:,} numbers "
        f"{int(np.sum(best > 0)):,} differ, by up to {float(np.max(best)):.3g}",
        hint="use float32 if the numbers are too large for float16; else try another dialect",
    )


def _sizes(values: Array) -> list[int]:
    return sorted(size for size in values.shape if size > 1)


def _overflows(values: Array) -> bool:
    limit = float(np.finfo(np.float16).max)
    plain = values.astype(np.float64)
    return bool((np.isfinite(plain) & (np.abs(plain) > limit)).any())


def _digest(values: Array) -> str:
    """Of the numbers, in whatever order: floats as float32, to which float16 goes exactly."""
    plain: NDArray[Any] = values.astype(np.int64 if values.dtype.kind in "iub" else np.float32)
    # Adding zero makes one of the two zeros.
    return hashlib.sha256(np.sort(plain.ravel() + plain.dtype.type(0)).tobytes()).hexdigest()


def _arranged(values: Array, held: Array) -> Iterator[bool]:
    for axes in _permuted_like(held, values):
        turned = held.transpose(axes)
        yield bool(np.array_equal(turned, values.reshape(turned.shape)))


def _permuted_like(held: Array, values: Array) -> list[tuple[int, ...]]:
    """The orders of its axes in which `held` has the other's shape, axes of one left aside."""
    plain = [tuple(range(held.ndim))] if held.size == values.size else []
    if held.ndim > 5:
        return plain
    wanted = [size for size in values.shape if size > 1]
    turned = [
        axes
        for axes in itertools.permutations(range(held.ndim))
        if [held.shape[axis] for axis in axes if held.shape[axis] > 1] == wanted
    ]
    return [*dict.fromkeys([*plain, *turned])]


def _alike(one: Doubles, other: Doubles) -> bool:
    if one.size < _TOO_FEW or not (np.ptp(one) and np.ptp(other)):
        return False
    return bool(np.corrcoef(one, other)[0, 1] >= ALIKE)
