"""Answers against the original's: the measures and bounds by which the bundle was judged.

`compare` and `judge` are the very files that judged it where it was built. What they leave to their
caller there is here in short: what an output means, and which elements may jump.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import compare, judge


class Allowed(NamedTuple):
    """A bound of the manifest."""

    relative_l2: float = 0.0
    whole: float = 0.0
    part: float = 0.0
    element: float = 0.0
    budget: float = 0.0
    jumps: float = 0.0
    jump: float = 0.0


class Measured(NamedTuple):
    """What `judge.reason` looks at."""

    call: str
    output: str
    relative_l2: float
    whole: float
    part: float
    part_at: str
    element: float
    element_at: tuple
    jumped: int
    size: int
    unsure: object
    task: dict
    problem: str
    reason: str


def judged(case, answer, manifest, recipe):
    """A `Measured` for each output of the answer and of the original; `reason` is "" where right.

    To find nothing wrong where nothing was asked would sound like a proof: an answer without any
    output is one row that fails.
    """
    bounds = manifest["bounds"][recipe][case.golden]
    signature = manifest["signatures"][case.golden]
    names = sorted(set(case.expected) | set(answer))
    rows = [_one(case, name, answer.get(name), signature, _allowed(bounds, name)) for name in names]
    return rows or [_failed(case, "all outputs", "none was given", Allowed())]


def _allowed(bounds, name):
    # Floats that are not finite are strings in JSON.
    stated = bounds.get(name, {})
    return Allowed(**{field: float(stated[field]) for field in Allowed._fields if field in stated})


def _one(case, name, got, signature, allowed):
    want, noise = case.expected.get(name), case.noise.get(name)
    problem = _problem(want, got)
    if problem:
        return _failed(case, name, problem, allowed)
    if noise is not None and noise.shape != want.shape:
        return _failed(case, name, f"the noise has the shape {list(noise.shape)}", allowed)
    integers = want.dtype.kind in "iub"
    granted = allowed.budget / allowed.whole if allowed.whole else 0.0
    jumps = compare.Jumps(judge.may_jump(allowed, want.size), allowed.element, allowed.jump)
    batch = _batch_axis(signature, name)
    found = compare.measure(want, got, noise, granted, jumps, batch)
    unsure = (0 if noise is None else int(np.count_nonzero(noise))) if integers else None
    task = {} if integers or noise is None else _same_best(signature, name, case, got, allowed)
    return _row(case, name, found, unsure, task, allowed)


def _problem(want, got):
    if got is None:
        return "missing"
    if want is None:
        return "not an output of the model"
    if want.shape != got.shape:
        return f"shape {list(got.shape)}, expected {list(want.shape)}"
    if want.dtype != got.dtype:
        return f"dtype {got.dtype.name}, expected {want.dtype.name}"
    return ""


def _same_best(signature, name, case, got, allowed):
    """A budget moves scores, not decisions: the best class stays where the original is sure."""
    if _spec(signature, name).get("kind") != "logits" or not allowed.budget:
        return {}
    want = case.expected[name].astype(np.float64)
    unsure = allowed.element * case.noise[name].astype(np.float64)
    rows = want.reshape(-1, want.shape[-1])
    best = rows.argmax(-1)
    at = np.arange(len(rows))
    others = rows + unsure.reshape(rows.shape)
    others[at, best] = -np.inf
    sure = rows[at, best] - unsure.reshape(rows.shape)[at, best] > others.max(-1)
    same = got.reshape(rows.shape).argmax(-1) == best
    return {"top1": float(same[sure].mean()) if sure.any() else 1.0}


def _row(case, name, found, unsure, task, allowed):
    measured = Measured(
        case.call,
        name,
        found.relative_l2,
        found.whole,
        found.part,
        found.part_at,
        found.element,
        found.element_at,
        found.jumped,
        found.size,
        unsure,
        task,
        "",
        "",
    )
    return measured._replace(reason=judge.reason(measured, allowed))


def _failed(case, name, problem, allowed):
    nan = float("nan")
    measured = Measured(case.call, name, nan, nan, nan, "", nan, (), 0, 0, None, {}, problem, "")
    return measured._replace(reason=judge.reason(measured, allowed))


def _spec(signature, name):
    return next((spec for spec in signature["outputs"] if spec["name"] == name), {})


def _batch_axis(signature, name):
    """Where the batch lies, also within a product such as "batch*time"."""
    for axis, dim in enumerate(_spec(signature, name).get("shape", ())):
        if isinstance(dim, str) and dim.split("*")[0] == signature.get("batch"):
            return axis
    return None
