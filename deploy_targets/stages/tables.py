"""Which tables of steps there are, and what a model's signature makes of them: a `Staging`.

To add a medium or a kind of answer: a file with its table beside this one, and its class below.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from deploy_targets.errors import ConfigError
from deploy_targets.records import DynamicAxis, Signature, Stage, Staging, TensorSpec
from deploy_targets.stages.audio import AudioBefore
from deploy_targets.stages.base import After, Before
from deploy_targets.stages.boxes import BoxesAfter
from deploy_targets.stages.classes import ClassesAfter
from deploy_targets.stages.image import ImageBefore
from deploy_targets.stages.mask import MaskAfter
from deploy_targets.stages.own import woven
from deploy_targets.stages.rows import TableBefore
from deploy_targets.stages.text import TextAfter

AnyBefore = Annotated[ImageBefore | AudioBefore | TableBefore, Field(discriminator="type")]
AnyAfter = Annotated[ClassesAfter | BoxesAfter | MaskAfter | TextAfter, Field(discriminator="type")]

LARGEST = 2**31 - 1


def staging(
    signature: Signature,
    before: Mapping[str, Before],
    after: Mapping[str, After],
    base: Path,
    target: str = "",
) -> Staging:
    """All declared steps, in order. `base`: the folder that files in the tables are relative to;
    `target`: whose counterparts of the user's own steps they are for.


    Raises ConfigError that names the table where its steps do not fit the model.
    """
    inputs = {spec.name: spec for spec in signature.inputs}
    outputs = {spec.name: spec for spec in signature.outputs}
    for name, table in before.items():
        _fits(f"inputs.{name}.preprocess", name, inputs, lambda t=table, n=name: t.check(inputs[n]))
    ends: dict[str, tuple[Stage, ...]] = {}
    for name, last in after.items():

        def compiled(table: After = last, name: str = name) -> None:
            table.check(name, signature.outputs)
            ends[name] = table.stages(name, signature.outputs, base)
            for stage in ends[name]:
                _check_input(stage, before)

        _fits(f"outputs.{name}.postprocess", name, outputs, compiled)
    followed = {stage.options.get("input") for several in ends.values() for stage in several}
    steps, ports = {}, {}
    for name, table in before.items():
        plain, keeps = table.stages(inputs[name], base), name in followed or not table.single
        between = _ports(table, plain, inputs[name])
        steps[name], ports[name] = woven(table.own, plain, between, inputs[name], target, keeps)
    return Staging(
        stages=(*_sided("before", steps), *_sided("after", ends)),
        signature=_signature(signature, before, after),
        ports=ports,
        media={name: table.media for name, table in before.items()},
        suffixes={name: table.suffixes for name, table in before.items()},
        single=all(table.single for table in before.values()),
    )


def raw(name: str) -> TensorSpec:
    """An input as its raw bytes."""
    return TensorSpec(name, "uint8", (f"{name}_bytes",))


def _fits(key: str, name: str, known: Mapping[str, TensorSpec], check: object) -> None:
    if name not in known:
        raise ConfigError(
            f"[{key}]: the model has no {key.partition('s.')[0]} {name!r}",
            hint=f"it has {', '.join(known)}",
        )
    try:
        assert callable(check)
        check()
    except ValueError as error:
        raise ConfigError(f"[{key}]: {error}", hint="correct it, or the shape it is for") from error


def _check_input(stage: Stage, before: Mapping[str, Before]) -> None:
    """Raises ValueError where a step follows a photo that nobody takes, or one among rows."""
    name = stage.options.get("input")
    photos = [of for of, table in before.items() if isinstance(table, ImageBefore)]
    if name is not None and name not in photos:
        raise ValueError(
            f'input = {name!r} is no input with type = "image"; '
            + (f"there are {', '.join(photos)}" if photos else "there is none")
        )
    if stage.op in ("detections", "ctc") and any(not table.single for table in before.values()):
        raise ValueError(f"{stage.op} is of one item a request, and the rows of a table are many")


def _sided(side: str, steps: Mapping[str, Sequence[Stage]]) -> list[Stage]:
    # Through JSON, so that a manifest says just what is run here: lists, not tuples.
    return [
        replace(stage, side=side, options=json.loads(json.dumps(dict(stage.options))))
        for several in steps.values()
        for stage in several
    ]


def _ports(table: Before, steps: Sequence[Stage], tensor: TensorSpec) -> tuple[TensorSpec, ...]:
    return (raw(tensor.name), *(table.port(steps, at, tensor) for at in range(1, len(steps))))


def _signature(
    model: Signature, before: Mapping[str, Before], after: Mapping[str, After]
) -> Signature:
    """From raw bytes to the answer. There is no batch: one request is asked as it comes."""
    used = {name for of, table in after.items() for name in table.consumes(of)}
    inputs = tuple(raw(spec.name) if spec.name in before else spec for spec in model.inputs)
    kept = tuple(spec for spec in model.outputs if spec.name not in used)
    given = tuple(spec for of, table in after.items() for spec in table.gives(of, model.outputs))
    axes = [DynamicAxis(str(raw(name).shape[0]), 1, LARGEST) for name in before]
    return Signature(inputs, (*given, *kept), (*model.axes, *axes), None)
