"""How much of its bound each measure uses. In: what was measured and what is allowed. Out: Shares.

The judge says whether everything is within its bound; this says how near. Standard library alone,
so that the command line can say it without waiting for numpy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from deploy_targets.parity import judge
from deploy_targets.verdicts import Bound, OutputParity


@dataclass(frozen=True)
class Share:
    """One measure of one output of one call beside its bound."""

    measure: str
    found: float
    limit: float
    at: str = ""
    """The slice or the element."""

    @property
    def used(self) -> float:
        """Found over limit: 1 is all that is allowed. Infinite where a NaN was found."""
        if math.isnan(self.found):
            return math.inf
        if self.limit:
            return self.found / self.limit
        return math.inf if self.found else 0.0

    @property
    def within(self) -> bool:
        """As the judge says it, so NaN is not within."""
        return self.found <= self.limit


WHOLE, PART, ELEMENT = "whole output", "worst slice", "worst element"
"""What is measured as error over noise."""


def shares(parity: OutputParity, allowed: Bound) -> tuple[Share, ...]:
    """All measures of what could be compared, in the judge's order; none where nothing could."""
    if parity.problem:
        return ()
    most = judge.may_jump(allowed, parity.size, parity.unsure)
    counted = [Share("elements that jump", parity.jumped, most)] if parity.jumped or most else []
    return (
        *counted,
        Share("relative L2", parity.relative_l2, allowed.relative_l2),
        Share(WHOLE, parity.whole, allowed.whole),
        Share(PART, parity.part, allowed.part, parity.part_at),
        Share(ELEMENT, parity.element, allowed.element, place(parity.element_at)),
    )


def used(parity: OutputParity, allowed: Bound) -> float:
    """The largest share of any bound; infinite where nothing can be compared or a task differs."""
    if parity.problem or not all(share >= 1.0 for share in parity.task.values()):
        return math.inf
    return max(share.used for share in shares(parity, allowed))


def noise_used(parity: OutputParity, allowed: Bound) -> float:
    """The largest share of what is allowed as error over noise."""
    found = [s.used for s in shares(parity, allowed) if s.measure in (WHOLE, PART, ELEMENT)]
    return max(found, default=math.inf)


def place(index: tuple[int, ...]) -> str:
    """An element's index as one writes it."""
    return f"[{', '.join(map(str, index))}]" if index else ""
