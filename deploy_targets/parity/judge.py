"""Decides whether what was measured is good enough. Measures nothing.

Every comparison is written as "is within", so NaN is refused.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from deploy_targets.records import Golden, Lane, OutputParity, Recipe, Row, Verdict

FLOOR = 2e-6
"""Relative L2 that two right float32 implementations may differ by, whatever the model."""

FACTOR = 16.0
"""How much further than from itself an artifact may be from the original: it sums in another
order at every layer, which moving the inputs by an ulp does not show."""

CEILING = 2e-2
"""What noise alone never excuses, however uncertain the model is of itself."""


def bounds(goldens: Iterable[Golden], recipe: Recipe, budget: float) -> dict[str, float]:
    """Per output, the relative L2 allowed: the model's noise, and recipe's and user's budget."""
    return {
        output: 0.0 if _exact(golden, output) else _from_noise(noise) + recipe.budget + budget
        for golden in goldens
        for output, noise in golden.noise.items()
    }


def _from_noise(noise: float) -> float:
    # A model that is infinitely far from itself says nothing of how near an artifact must be.
    return min(max(FLOOR, FACTOR * noise), CEILING) if math.isfinite(noise) else FLOOR


def accepts(parity: OutputParity, bound: float) -> bool:
    """Whether one output of one call is as the original's."""
    if parity.problem:
        return False
    # A relative L2 of r leaves the cosine at 1 - r * r / 2 or above; r leaves room for rounding.
    near = parity.relative_l2 <= bound and parity.cosine >= 1.0 - max(bound, 1e-9)
    return near and (parity.top1 is None or parity.top1 >= 1.0)


def judge(
    lane: Lane,
    golden: str,
    where: str,
    parity: tuple[OutputParity, ...],
    allowed: Mapping[str, float],
    seconds: float | None = None,
    notes: tuple[str, ...] = (),
) -> Row:
    """The verdict on one lane and one golden. No case asked is NOT_RUN."""
    if not parity:
        return Row(lane.name, golden, Verdict.NOT_RUN, where, "no case was asked", notes=notes)
    bad = [p for p in parity if not accepts(p, allowed.get(p.output, 0.0))]
    verdict = Verdict.FAIL if bad else Verdict.PASS
    reason = _reason(bad, len(parity), allowed) if bad else ""
    return Row(lane.name, golden, verdict, where, reason, parity, seconds, notes)


def overall(lanes: Iterable[Lane], rows: Iterable[Row]) -> Verdict:
    """FAIL where a required lane failed; PASS where all of them passed; else NOT_RUN."""
    said = list(rows)
    verdicts = [
        verdict
        for lane in lanes
        if lane.required
        for verdict in [row.verdict for row in said if row.lane == lane.name] or [Verdict.NOT_RUN]
    ]
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    passed = bool(verdicts) and all(verdict is Verdict.PASS for verdict in verdicts)
    return Verdict.PASS if passed else Verdict.NOT_RUN


def _exact(golden: Golden, output: str) -> bool:
    """Integers and booleans are right or wrong; there is no near."""
    return golden.cases[0].outputs[output].dtype.kind in "iub"


def _reason(bad: list[OutputParity], asked: int, allowed: Mapping[str, float]) -> str:
    worst = next((p for p in bad if p.problem), None) or max(
        bad, key=lambda p: p.relative_l2 if p.relative_l2 == p.relative_l2 else float("inf")
    )
    bound = allowed.get(worst.output, 0.0)
    if worst.problem:
        said = worst.problem
    elif not worst.relative_l2 <= bound:
        said = f"relative L2 {worst.relative_l2:.2e}, allowed {bound:.2e}"
    elif worst.top1 is not None and worst.top1 < 1.0:
        said = f"another top-1 in {1 - worst.top1:.0%} of rows"
    else:
        said = f"cosine {worst.cosine:.6f}"
    return f"{worst.output} of {worst.call}: {said} ({len(bad)} of {asked} comparisons failed)"
