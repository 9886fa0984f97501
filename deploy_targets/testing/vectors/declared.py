"""A table of deploy.toml and what is asked of it -> cases: each step by itself, and the chain.

In: `Before`s with raw bytes, `After`s with a model's outputs. Out: pairs of the file that a case
belongs to and the case. Options come from the tables, so that they are what a target will see.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from deploy_targets.records import Array, Stage, TensorSpec
from deploy_targets.stages import host
from deploy_targets.stages.base import After, Before
from deploy_targets.stages.compose import plain
from deploy_targets.testing.vectors import slack
from deploy_targets.testing.vectors.case import AFTER, BEFORE, WORDS, Case, answer

Filed = Iterator[tuple[str, Case]]
Frame = dict[str, Any]


PLAIN, ENOUGH = frozenset({"scale", "layout", "channels", "arrange"}), 2
"""Steps whose inputs hardly matter, and how many of them each table asks."""


@dataclass(frozen=True)
class Raw:
    """Raw bytes, and what they catch."""

    name: str
    why: str
    data: bytes
    refused: str = ""
    """What the message of a refusal is about; empty where there is an answer."""
    lossy: slack.Slack | None = None
    """How far decoders of such a file differ."""


@dataclass(frozen=True)
class Answers:
    """A model's outputs, and what they catch."""

    name: str
    why: str
    tensors: Mapping[str, Array]
    frame: Mapping[str, Any] = field(default_factory=dict)
    single: bool = True


def before(chain: str, name: str, table: Before, tensor: TensorSpec, raws: Sequence[Raw]) -> Filed:
    """The cases of one input's steps. `chain`: the file of whole chains; "" asks for none, and of
    the steps those alone whose inputs matter."""
    table.check(tensor)
    stages = table.stages(tensor, Path())
    for number, raw in enumerate(raws):
        given = {"bytes": np.frombuffer(raw.data, np.uint8)}
        for op, case in _each(name, stages, given, raw):
            if _telling(case) or (chain and number < ENOUGH):
                yield op, case
        if chain:
            yield chain, _asked(_of(f"{name}-{raw.name}", raw.why, BEFORE, stages, given), raw)


def _telling(case: Case) -> bool:
    """Whether it is worth its bytes to ask this step of one input more."""
    if case.refuses is not None or "bytes" in case.inputs:
        return True
    unchanged = np.array_equal(case.inputs["value"], case.outputs["value"], equal_nan=True)
    return case.steps[0]["op"] not in PLAIN and not unchanged


def _each(name: str, stages: Sequence[Stage], given: Mapping[str, Array], raw: Raw) -> Filed:
    frame: Mapping[str, Any] = {}
    for number, stage in enumerate(stages):
        plainly = replace(raw, lossy=None) if number else raw
        title = f"{name}-{raw.name}-{number}"
        case = _asked(_of(title, raw.why, BEFORE, [stage], given, frame), plainly)
        yield stage.op, case
        if case.refuses is not None:
            return
        given, frame = case.outputs, case.frame_after


def after(
    chain: str, name: str, table: After, outputs: Sequence[TensorSpec], several: Sequence[Answers]
) -> Filed:
    """The cases of one output's steps, which is the first of `outputs`."""
    of = outputs[0].name
    table.check(of, outputs)
    stages = table.stages(of, outputs, Path())
    for one in several:
        tensors, title = one.tensors, f"{name}-{one.name}"
        for number, stage in enumerate(stages):
            if stage.op not in host.WORDS:
                case = _of(f"{title}-{number}", one.why, AFTER, [stage], tensors, one.frame)
                case = _asked(case)
                yield stage.op, case
                tensors = case.outputs
        yield chain, _asked(_of(title, one.why, AFTER, stages, one.tensors, one.frame))
        whole = _of(f"{title}-in-words", one.why, WORDS, stages, one.tensors, one.frame)
        yield chain, _asked(replace(whole, single=one.single))
        spoken = [stage for stage in stages if stage.op in host.WORDS]
        last = _of(title, one.why, WORDS, spoken, tensors, one.frame)
        yield WORDS, _asked(replace(last, single=one.single))


def _of(
    name: str,
    why: str,
    side: str,
    stages: Sequence[Stage],
    inputs: Mapping[str, Array],
    frame: Mapping[str, Any] | None = None,
) -> Case:
    steps = tuple(plain(stage) for stage in stages)
    return Case(name, why, side, steps, inputs, copy.deepcopy(dict(frame or {})))


def _asked(case: Case, raw: Raw | None = None) -> Case:
    """The case with the reference's answer, or its refusal, where the raw input is one for it."""
    about = raw.refused if raw else ""
    refused: host.Refused | None = None
    outputs: Mapping[str, Array] = {}
    frame: Mapping[str, Any] = {}
    try:
        outputs, frame = answer(case)
    except host.Refused as error:
        refused = error
    whole = len(case.steps) > 1
    # A table's refusal may come of a later step, but come it must.
    assert not refused or about, f"{case.name} is refused: {refused}"
    assert refused or not (about and whole), f"{case.name} is not refused"
    if refused:
        said = {"status": refused.status, "about": about, "message": str(refused)}
        return replace(case, refuses=said)
    lossy = raw.lossy if raw else None
    slacks = {name: _slack(case, name, array, lossy) for name, array in outputs.items()}
    return replace(case, outputs=outputs, frame_after=frame, slack=slacks)


def _slack(case: Case, name: str, array: Array, lossy: slack.Slack | None) -> slack.Slack:
    if case.side == WORDS:
        return slack.said(name, case.steps)
    return slack.granted(case.steps, array.dtype.name, lossy)
