"""Finds where two computations part ways. In: closures that run them. Out: the step, and a count.

Two ways. Where every value between can be had from one run, `first_parting` looks through them.
Where only the end of a computation can be seen, `first_difference` cuts it again and again.
Neither knows what a graph is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from deploy_targets.parity.difference import apart, same
from deploy_targets.records import Array, Tensors

ROUNDING = 1e-7
"""Relative L2 by which float32 itself is off after one operation."""


class Step(Protocol):
    """One value that both computations have, and those that it is computed from."""

    @property
    def original(self) -> str: ...
    @property
    def artifact(self) -> str: ...
    @property
    def feeds(self) -> tuple[tuple[str, str], ...]:
        """(original's name, artifact's name) of each value that it is computed from."""


S = TypeVar("S", bound=Step)


@dataclass(frozen=True)
class Parted(Generic[S]):
    """A step whose output is not the original's, though it was given what the original has."""

    step: S
    got: Array
    """What the artifact's nodes compute from the original's values."""
    distance: float
    clean: bool
    """Whether what it was given in the artifact agreed, too; else it was run by itself."""


def tolerance(distance: float) -> float:
    """What counts as agreeing, when a difference of `distance` is to be explained.

    Half way, in orders of magnitude, between float32's own rounding and the difference: neither
    honest rounding is blamed, nor is a fault taken for it that grows only later.
    """
    return math.sqrt(ROUNDING * min(max(distance, ROUNDING), 1.0))


def first_parting(
    steps: Iterable[S],
    want: Tensors,
    got: Tensors,
    alone: Callable[[S, Tensors], Array | None],
    allowed: float,
) -> Parted[S] | None:
    """The first step that turns what agrees into what does not.

    A difference that was there before is no fault of a step, however much it grows in it. So a
    step whose inputs differ is run by itself (`alone`) on the original's values: artifact's name
    -> array. It returns None where that cannot be done.
    """
    for step in steps:
        if step.original not in want or step.artifact not in got:
            continue
        wanted, came = want[step.original], got[step.artifact]
        if same(wanted, came) or apart(wanted, came) <= allowed:
            continue
        known = [(ours, theirs) for ours, theirs in step.feeds if ours in want]
        clean = all(theirs in got and same(want[ours], got[theirs]) for ours, theirs in known)
        answer = came if clean else alone(step, {theirs: want[ours] for ours, theirs in known})
        if answer is not None and (distance := apart(wanted, answer)) > allowed:
            return Parted(step, answer, distance, clean)
    return None


def that_matter(
    steps: Sequence[S], differs: Container[str], outputs: Container[str]
) -> Sequence[S]:
    """The steps after the last point at which everything that was still needed agreed.

    What differed before it (`differs`: the artifact's names) was masked on its way, by a ReLU for
    example, and is not why the `outputs` differ.
    """
    last_read = {name: index for index, step in enumerate(steps) for _, name in step.feeds}
    start, reach = 0, -1
    for index, step in enumerate(steps):
        if step.artifact in differs:
            end = len(steps) if step.artifact in outputs else last_read.get(step.artifact, index)
            reach = max(reach, end)
        if reach <= index:
            start = index + 1
    return steps[start:]


@dataclass(frozen=True)
class Found:
    """The number of the step (from 1) after which it first disagrees, and how often it was run."""

    step: int
    runs: int


def first_difference(count: int, agrees: Callable[[int], bool]) -> Found | None:
    """Cuts a computation of `count` steps at most log2(count) + 2 times. None: all of it agrees.

    `agrees(k)` runs the first k steps and compares *everything that is still needed* after them,
    not one value: then whatever agrees at k has no fault before k that could matter, even where
    an earlier difference was masked on the way (by a ReLU, an argmax), and the search need not
    assume that what disagrees once disagrees ever after.
    """
    asked = 1
    if agrees(count):
        return None
    low, high = 0, count
    # Nothing has been computed at 0; so it agrees there. It does not at `high`.
    while high - low > 1:
        middle = (low + high) // 2
        asked += 1
        if agrees(middle):
            low = middle
        else:
            high = middle
    return Found(high, asked)
