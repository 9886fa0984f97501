"""The original's answers, and how sure it is of them. In: a model and questions. Out: Golden."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from deploy_targets.errors import UnsupportedModel
from deploy_targets.parity.compare import relative_l2
from deploy_targets.parity.made import Question
from deploy_targets.parity.noise import THOROUGH, noise
from deploy_targets.records import TENSORS, Array, Case, Golden, OutputNoise, Tensors
from deploy_targets.runtime import Model

DISAGREEMENT = 1e-3
"""Relative L2 beyond which an independent implementation is said to contradict the reference."""


def record(
    model: Model, asked: Sequence[Question], name: str = TENSORS, thorough: int = THOROUGH
) -> Golden:
    """Asks the model everything; on so many cases, the smallest, with every rounding.

    Raises UnsupportedModel where it does not answer twice alike.
    """
    answered = [(question, _ask(model, question)) for question in asked]
    cases = tuple(Case(q.name, q.why, q.inputs, a, q.synthetic) for q, a in answered if a)
    lost = tuple(
        f"{q.name} was left out: the original has no numbers for it" for q, a in answered if not a
    )
    _refuse_random(cases[0], model.run(cases[0].inputs))
    own = noise(model, cases, thorough)
    doubts = (
        *lost,
        *_contradictions(model, cases),
        *_not_finite(cases),
        *_silent(cases),
        *_unsure(own.outputs),
    )
    return Golden(name, model.signature, own.cases, own.outputs, own.sources, doubts)


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


def _silent(cases: Sequence[Case]) -> tuple[str, ...]:
    """Outputs of which no case shows anything: whatever always says the same would pass."""
    return tuple(
        f"{name} is {said} in every case, so an artifact that never answers anything else would "
        "pass: give a sample that leads to another answer"
        for name in cases[0].outputs
        if (said := _always([case.outputs[name] for case in cases]))
    )


def _always(arrays: Sequence[Array]) -> str:
    """What all of them hold; empty where they differ. A float is hardly ever the same twice."""
    flat = np.concatenate([array.ravel() for array in arrays])
    if not flat.size:
        return "empty"
    same = flat.dtype.kind in "iub" and (flat == flat[0]).all()
    return str(flat[0]) if same else ""


def _unsure(noises: Mapping[str, OutputNoise]) -> tuple[str, ...]:
    told = [
        f"the original differs from itself by {own.relative_l2:.1e} in {name}: so uncertain an "
        "answer cannot be judged as finely as others"
        for name, own in noises.items()
        if not own.relative_l2 <= DISAGREEMENT
    ]
    jumping = [
        f"{own.jumps:.2%} of the elements of {name} jump when the original rounds otherwise; "
        "that share of them is not held against an artifact"
        for name, own in noises.items()
        if own.jumps
    ]
    return (*told, *jumping)


def _ask(model: Model, question: Question) -> Tensors:
    """The answer; empty where an optional question has none."""
    try:
        outputs = model.run(question.inputs)
        return {} if question.optional and not _finite(outputs) else outputs
    except Exception as error:
        if question.optional:
            return {}
        shapes = ", ".join(f"{name} {list(a.shape)}" for name, a in question.inputs.items())
        raise UnsupportedModel(
            f"the original model fails on case {question.name} ({question.why}; {shapes}): "
            f"{type(error).__name__}: {_first_line(error)}",
            hint="correct the shape, the range or the dtype of the inputs in deploy.toml",
        ) from error


def _finite(outputs: Tensors) -> bool:
    return all(np.isfinite(a).all() for a in outputs.values() if a.dtype.kind == "f")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _refuse_random(case: Case, again: Tensors) -> None:
    for name, want in case.outputs.items():
        exact = want.dtype.kind in "iub"
        if not relative_l2(want, again[name]) <= (0.0 if exact else DISAGREEMENT):
            raise UnsupportedModel(
                f"the original answers {name} differently when asked {case.name} twice",
                hint="turn off dropout and sampling in the model, or seed them in its forward",
            )
