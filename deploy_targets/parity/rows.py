"""From answers to rows of the verdict: what is allowed, what was measured, what follows.

compare.py and judge.py know arrays and numbers alone; here they meet bundles and goldens.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from deploy_targets.binding import batch_axis, in_model_terms
from deploy_targets.parity import judge, tasks
from deploy_targets.parity.compare import Distance, Jumps, measure
from deploy_targets.records import Answer, Array, Check, Entry, Golden, Lane, Recipe, Signature
from deploy_targets.verdicts import Bound, OutputParity, Row, Verdict

NAN = float("nan")
EXACT = Bound(relative_l2=0.0, whole=0.0, part=0.0, element=0.0)
"""For outputs of which nothing is known."""


def bounds(golden: Golden, recipe: Recipe, budget: float) -> dict[str, Bound]:
    """Per output what is allowed: the model's noise, and the recipe's and the user's budget."""
    return {
        name: judge.bound(noise, recipe.budget + budget, Bound)
        for name, noise in golden.noise.items()
    }


def measured(
    check: Check,
    answer: Answer,
    entry: Entry,
    signature: Signature,
    allowed: Mapping[str, Bound],
) -> tuple[OutputParity, ...]:
    """One measurement per output, sorted by name; outputs too many or too few are among them."""
    expected = in_model_terms(check.expected, entry)
    actual = in_model_terms(answer.outputs, entry)
    noise = in_model_terms(check.noise, entry)
    dtypes = {port.of: port.spec.dtype for port in entry.outputs}

    def one(name: str) -> OutputParity:
        want, got = expected.get(name), actual.get(name)
        if problem := _problem(want, got, dtypes.get(name)):
            return OutputParity(check.call.name, name, NAN, NAN, NAN, problem=problem)
        assert want is not None
        assert got is not None
        found = _measure(want, got, noise.get(name), name, signature, allowed.get(name, EXACT))
        unsure = _unsure(want, noise.get(name))
        return OutputParity(check.call.name, name, unsure=unsure, **_fields(found))

    return tuple(one(name) for name in sorted({*expected, *actual}))


def row(
    lane: Lane,
    golden: str,
    where: str,
    parity: tuple[OutputParity, ...],
    allowed: Mapping[str, Bound],
    seconds: float | None = None,
    notes: tuple[str, ...] = (),
) -> Row:
    """The verdict on one lane and one golden. No case asked is NOT_RUN."""
    if not parity:
        return Row(lane.name, golden, Verdict.NOT_RUN, where, "no case was asked", notes=notes)
    bad = [p for p in parity if not judge.accepts(p, allowed.get(p.output, EXACT))]
    verdict = Verdict.FAIL if bad else Verdict.PASS
    reason = _reason(bad, len(parity), allowed) if bad else ""
    return Row(lane.name, golden, verdict, where, reason, parity, seconds, notes)


def overall(lanes: Iterable[Lane], rows: Iterable[Row]) -> Verdict:
    """FAIL where a required lane failed; PASS where all of them passed; else NOT_RUN."""
    verdicts = list(_verdicts(lanes, list(rows)))
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    passed = bool(verdicts) and all(verdict is Verdict.PASS for verdict in verdicts)
    return Verdict.PASS if passed else Verdict.NOT_RUN


def _verdicts(lanes: Iterable[Lane], rows: list[Row]) -> Iterator[Verdict]:
    for lane in lanes:
        if lane.required:
            yield from [r.verdict for r in rows if r.lane == lane.name] or [Verdict.NOT_RUN]


def _problem(want: Array | None, got: Array | None, dtype: str | None) -> str:
    if got is None:
        return "missing"
    if want is None:
        return "not an output of the model"
    if want.shape != got.shape:
        return f"shape {list(got.shape)}, expected {list(want.shape)}"
    if dtype is not None and got.dtype.name != dtype:
        return f"dtype {got.dtype.name}, expected {dtype}"
    return ""


def _measure(
    want: Array,
    got: Array,
    noise: Array | None,
    name: str,
    signature: Signature,
    allowed: Bound,
) -> Distance:
    spec = next(spec for spec in signature.outputs if spec.name == name)
    batch = batch_axis(spec, signature.batch)
    kind = tasks.kind_of_rows(spec.kind, batch, want)
    got = tasks.arranged(kind, want, got)
    granted = allowed.budget / allowed.whole if allowed.whole else 0.0
    jumps = Jumps(judge.may_jump(allowed, want.size), allowed.element, allowed.jump)
    found = measure(want, got, noise, granted, jumps, batch)
    if want.dtype.kind in "iub":
        return found
    if noise is None or batch == want.ndim - 1:
        return found
    # A budget moves scores, not decisions: what the original is sure of must stay.
    unsure = allowed.element * noise.astype(np.float64)
    task = tasks.agreement(kind, want, got, unsure)
    return dataclasses.replace(found, task=task)


def _unsure(want: Array, noise: Array | None) -> int | None:
    """How many integers the original answers otherwise when it rounds otherwise."""
    if want.dtype.kind not in "iub":
        return None
    return 0 if noise is None else int(np.count_nonzero(noise))


def _fields(found: Distance) -> dict[str, Any]:
    return {field.name: getattr(found, field.name) for field in dataclasses.fields(found)}


def _reason(bad: list[OutputParity], asked: int, allowed: Mapping[str, Bound]) -> str:
    # The largest first; what cannot be compared at all, or is NaN, before all others.
    worst = next((p for p in bad if p.problem), None) or max(
        bad, key=lambda p: p.relative_l2 if p.relative_l2 == p.relative_l2 else float("inf")
    )
    said = judge.reason(worst, allowed.get(worst.output, EXACT))
    return f"{worst.output} of {worst.call}: {said} ({len(bad)} of {asked} comparisons failed)"
