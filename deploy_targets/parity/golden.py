"""The original's answers, and how sure it is of them. In: a model and questions. Out: Golden."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

import numpy as np

from deploy_targets.errors import UnsupportedModel
from deploy_targets.parity.cases import Question
from deploy_targets.parity.compare import relative_l2
from deploy_targets.records import Array, Case, Golden, Tensors
from deploy_targets.runtime import Model

NOISY_CASES = 3
"""How many cases the noise is measured on: the first, the last and the middle one."""

DISAGREEMENT = 1e-3
"""Relative L2 beyond which an independent implementation is said to contradict the reference."""


def record(model: Model, asked: Sequence[Question], name: str = "tensors") -> Golden:
    """Asks the model everything. Raises UnsupportedModel where it does not answer twice alike."""
    cases = tuple(Case(q.name, q.why, q.inputs, _ask(model, q), q.synthetic) for q in asked)
    chosen = {len(cases) * i // (NOISY_CASES - 1) for i in range(NOISY_CASES)}
    probed = [cases[min(i, len(cases) - 1)] for i in sorted(chosen)]
    noise, sources = _noise(model, probed)
    doubts = (*_contradictions(model, cases), *_not_finite(cases), *_unsure(noise))
    return Golden(name, model.signature, cases, noise, sources, doubts)


def _contradictions(model: Model, cases: Sequence[Case]) -> tuple[str, ...]:
    """Where an independent implementation disagrees on the smallest case; empty where none does."""
    case = min(cases, key=lambda case: sum(a.nbytes for a in case.inputs.values()))
    other = model.second_opinion(case.inputs)
    if other is None:
        return ()
    apart = {name: relative_l2(want, other[name]) for name, want in case.outputs.items()}
    return tuple(
        f"a second implementation of the graph differs by {distance:.1e} in {name} of {case.name}: "
        "the reference itself is in doubt"
        for name, distance in apart.items()
        if not distance <= DISAGREEMENT
    )


def _not_finite(cases: Sequence[Case]) -> tuple[str, ...]:
    found = (
        f"the original itself answers NaN or infinities in {name} of {case.name}: look at the "
        "model, and at what it is given"
        for case in cases
        for name, array in case.outputs.items()
        if array.dtype.kind == "f" and not np.isfinite(array).all()
    )
    return tuple(itertools.islice(found, 1))


def _unsure(noise: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(
        f"the original differs from itself by {distance:.1e} in {name}: so uncertain an answer "
        "cannot be judged as finely as others"
        for name, distance in noise.items()
        if not distance <= DISAGREEMENT
    )


def _ask(model: Model, question: Question) -> Tensors:
    try:
        return model.run(question.inputs)
    except Exception as error:
        shapes = ", ".join(f"{name} {list(a.shape)}" for name, a in question.inputs.items())
        raise UnsupportedModel(
            f"the original model fails on case {question.name} ({question.why}; {shapes}): "
            f"{type(error).__name__}: {_first_line(error)}",
            hint="correct the shape, the range or the dtype of the inputs in deploy.toml",
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _noise(model: Model, cases: Sequence[Case]) -> tuple[dict[str, float], tuple[str, ...]]:
    """Per output, the largest distance of the model from itself, and what was varied."""
    again = [(case, model.run(case.inputs)) for case in cases[:1]]
    _refuse_random(again[0][0], again[0][1])
    others = again + [(case, model.run(_moved(case.inputs))) for case in cases]
    sources = ["the same question twice", "inputs moved by an ulp"]
    if model.float64:
        others += [(case, model.run(case.inputs, float64=True)) for case in cases]
        sources.append("float64 against float32")
    return {name: _furthest(name, others) for name in cases[0].outputs}, tuple(sources)


def _furthest(name: str, others: Sequence[tuple[Case, Tensors]]) -> float:
    apart = [relative_l2(case.outputs[name], other[name]) for case, other in others]
    # NaN is in no order with numbers: it must not get lost in a maximum.
    return max(apart) if all(math.isfinite(distance) for distance in apart) else math.inf


def _refuse_random(case: Case, again: Tensors) -> None:
    for name, want in case.outputs.items():
        exact = want.dtype.kind in "iub"
        if not relative_l2(want, again[name]) <= (0.0 if exact else DISAGREEMENT):
            raise UnsupportedModel(
                f"the original answers {name} differently when asked {case.name} twice",
                hint="turn off dropout and sampling in the model, or seed them in its forward",
            )


def _moved(inputs: Tensors) -> dict[str, Array]:
    return {
        name: _next(array) if array.dtype.kind == "f" else array for name, array in inputs.items()
    }


def _next(array: Array) -> Array:
    # A scalar must stay an array: numpy would hand back a number.
    return np.asarray(np.nextafter(array, np.array(np.inf, array.dtype)))
