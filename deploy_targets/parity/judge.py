"""Decides whether what was measured is good enough. Measures nothing.

Every comparison is written as "is within", so NaN is refused. Standard library alone, and no
syntax newer than Python 3.8: this file and compare.py travel into bundles that prove themselves.
"""

from __future__ import annotations

import math
from typing import Any

FLOOR = 1e-6
"""Relative L2 that two right float32 implementations may differ by, whatever the model."""

CEILING = 2e-2
"""What noise alone never excuses, however uncertain the model is of itself."""

WHOLE, PART, ELEMENT = 2.5, 4.0, 32.0
"""How much further than the original strays from itself an artifact may be from it: in the root
mean square of an output, in that of any slice of it, in any element. Other implementations sum in
other orders, of which a few runs of one of them show only a part. benchmarks/fault_detection.py
says what these three cost and find; they were set on models and faults that it does not score."""

JUMPS = 8.0
"""How many more elements may jump than the original's own did in a few runs."""

SURE = 2
"""How many may jump in an answer in which none did, where some do in other answers: a few runs can
miss what is rare, and an answer that ties elsewhere is no excuse here."""


def bound(noise: Any, budget: float, make: Any) -> Any:
    """What is allowed of one output: `make` (a Bound) of its noise, and of what is granted."""
    return make(
        relative_l2=_from_noise(noise.relative_l2) + budget,
        whole=WHOLE,
        part=PART,
        element=ELEMENT,
        budget=budget,
        jumps=min(1.0, JUMPS * noise.jumps),
        jump=2 * noise.jump,
    )


def _from_noise(noise: float) -> float:
    # A model that is infinitely far from itself says nothing of how near an artifact must be.
    return min(max(FLOOR, WHOLE * noise), CEILING) if math.isfinite(noise) else FLOOR


def may_jump(allowed: Any, size: int, unsure: Any = None) -> int:
    """How many of so many elements may jump.

    `unsure`: how many did in this very answer when the original rounded otherwise; None where that
    is not known by element, as of floats.
    """
    most: int = math.ceil(allowed.jumps * size)
    if unsure is None:
        return most
    own: int = math.ceil(JUMPS * unsure)
    return min(size, own) if unsure else min(most, SURE, size // 2)


def accepts(parity: Any, allowed: Any) -> bool:
    """Whether one output of one call is as the original's."""
    return not reason(parity, allowed)


def reason(parity: Any, allowed: Any) -> str:
    """What is not within its bound; empty where everything is."""
    if parity.problem:
        return str(parity.problem)
    most = may_jump(allowed, parity.size, parity.unsure)
    if not parity.jumped <= most:
        return f"{parity.jumped} of {parity.size} elements differ, allowed {most}"
    for name, found, limit in (
        ("relative L2", parity.relative_l2, allowed.relative_l2),
        ("error over noise", parity.whole, allowed.whole),
        (f"error over noise along {parity.part_at}", parity.part, allowed.part),
        (f"error over noise at {list(parity.element_at)}", parity.element, allowed.element),
    ):
        if not found <= limit:
            return f"{name} {found:.2e}, allowed {limit:.2e}"
    wrong = [f"another {task} in {1 - s:.1%}" for task, s in parity.task.items() if not s >= 1.0]
    return ", ".join(wrong)
