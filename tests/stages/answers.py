"""Runs the steps behind a model on the host and as a graph, to hold one to the other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from deploy_targets.records import Array, Stage, TensorSpec
from deploy_targets.stages import graphs, host
from deploy_targets.stages.base import After
from deploy_targets.stages.host import words
from deploy_targets.stages.said import tensors_of

ROOM = Path(__file__).parent


def plain(stages: Sequence[Stage]) -> list[dict[str, Any]]:
    """The steps as a bundle carries them: through JSON."""
    steps = [{"op": s.op, "of": s.of, "options": dict(s.options)} for s in stages]
    return json.loads(json.dumps(steps))


def tensors_only(stages: Sequence[Stage]) -> list[Stage]:
    """Those steps that change a tensor."""
    return [stage for stage in stages if stage.op not in ("label", "palette")]


def on_host(
    stages: Sequence[Stage], given: Mapping[str, Array], frame: Mapping[str, Any] | None = None
) -> dict[str, Array]:
    """What the Python of the host makes of the model's outputs."""
    return host.after(plain(tensors_only(stages)), dict(given), dict(frame or {}))


def in_graph(
    stages: Sequence[Stage],
    outputs: Sequence[TensorSpec],
    gives: Sequence[TensorSpec],
    given: Mapping[str, Array],
) -> dict[str, Array]:
    """What ONNX Runtime makes of them with the same steps as a graph."""
    model = graphs.after(tensors_only(stages), outputs, gives)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    answers = session.run(
        [spec.name for spec in gives], {f"{name}.given": array for name, array in given.items()}
    )
    return {spec.name: array for spec, array in zip(gives, answers, strict=True)}


def both(
    table: After, of: str, outputs: Sequence[TensorSpec], given: Mapping[str, Array]
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The answer of the host and that of the graph."""
    table.check(of, outputs)
    stages, gives = table.stages(of, outputs, ROOM), table.gives(of, outputs)
    return on_host(stages, given), in_graph(stages, outputs, gives, given)


def same(host: Mapping[str, Array], graph: Mapping[str, Array]) -> bool:
    """Whether names, dtypes, shapes and every bit are the same; one NaN is as good as another."""
    return host.keys() == graph.keys() and all(
        host[name].dtype == graph[name].dtype
        and host[name].shape == graph[name].shape
        and np.array_equal(host[name], graph[name], equal_nan=host[name].dtype.kind == "f")
        for name in host
    )


def spoken(
    stages: Sequence[Stage], tensors: Mapping[str, Array], *, single: bool = True
) -> dict[str, Any]:
    """The answer in words, after a journey as strict JSON."""
    said = words.say(plain(stages), dict(tensors), {}, single)
    return json.loads(json.dumps(said, allow_nan=False))


def returned(
    stages: Sequence[Stage],
    gives: Sequence[TensorSpec],
    tensors: Mapping[str, Array],
    *,
    single: bool = True,
) -> dict[str, Array]:
    """The tensors after a journey as words."""
    return dict(tensors_of(spoken(stages, tensors, single=single), gives, stages))
