"""Which step runs on a target's host and which in a graph, and the graphs themselves.

In: a model's `Staging`, and what the target would rather do on its host. Out: a `Plan`, and files
in a folder: a graph for each input that has steps to leave to one, a graph behind the model, and
stages.json, which tells the code around them the rest.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deploy_targets.records import Signature, Stage, Staging, TensorSpec
from deploy_targets.stages import graphs, own
from deploy_targets.stages.compose import plain

FILE, AFTER = "stages.json", "after.onnx"
PLACED = ("resize", "crop", "pad")


@dataclass(frozen=True)
class Side:
    """The steps of one input: first on the host, then in a graph; between them lies the port."""

    host: tuple[Stage, ...]
    graph: tuple[Stage, ...]
    port: TensorSpec | None


@dataclass(frozen=True)
class Plan:
    """All steps of a model, each in its place."""

    staging: Staging
    before: Mapping[str, Side]
    graph: tuple[Stage, ...]
    """Behind the model, in a graph."""
    host: tuple[Stage, ...]
    """Behind that, on the host."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """In the order in which they run, each with where it does."""
        before = [
            replace(stage, where=where)
            for side in self.before.values()
            for where, several in (("host", side.host), ("graph", side.graph))
            for stage in several
        ]
        after = [replace(stage, where="graph") for stage in self.graph]
        return (*before, *after, *(replace(stage, where="host") for stage in self.host))


def plan(staging: Staging, on_host: Callable[[Stage], bool] = lambda _: False) -> Plan:
    """Everything that can be a graph is one, but what the target would rather do itself.

    Raises UnsupportedModel where a user's own step has no counterpart in the target.
    """
    own.refuse_missing(staging)
    followed = {stage.options.get("input") for stage in staging.after}

    def must(stage: Stage) -> bool:
        # What moves a photo's pixels tells the steps that bring an answer back to the photo.
        placed = stage.of in followed and stage.op in PLACED
        return placed or stage.op not in graphs.BEFORE or on_host(stage)

    before = {name: _split(staging, name, must) for name in staging.ports}

    def leaves(stage: Stage) -> bool:
        return stage.op not in graphs.AFTER or on_host(stage)

    left = {stage.of for stage in staging.after if leaves(stage)}
    graph: list[Stage] = []
    host: list[Stage] = []
    turned: set[str] = set()
    for stage in staging.after:
        # Once an output is on the host it stays there.
        if leaves(stage):
            turned.add(stage.of)
        (host if stage.of in turned & left else graph).append(stage)
    return Plan(staging, before, tuple(graph), tuple(host))


def write(planned: Plan, model: Signature, folder: Path) -> dict[str, Any]:
    """Writes the graphs and stages.json; returns what is in the latter."""
    inputs = {
        name: {
            "media": list(planned.staging.media[name]),
            "host": [plain(stage) for stage in side.host],
            "graph": _before(side, name, number, model, planned.staging.files, folder),
        }
        for number, (name, side) in enumerate(planned.before.items())
    }
    said = {
        "inputs": inputs,
        "graph": _after(planned, model, folder),
        "host": [plain(stage) for stage in planned.host],
        "gives": [_spec(spec) for spec in planned.staging.signature.outputs],
        "single": planned.staging.single,
    }
    text = json.dumps(said, indent=1, ensure_ascii=False)
    (folder / FILE).write_text(text + "\n", encoding="utf-8")
    return said


def _split(staging: Staging, name: str, must: Callable[[Stage], bool]) -> Side:
    steps, ports = staging.of(name), staging.ports[name]
    at = max((i + 1 for i, stage in enumerate(steps) if must(stage)), default=0)
    return Side(steps[:at], steps[at:], ports[at] if at < len(steps) else None)


def own_files(planned: Plan, has: frozenset[str] = frozenset({"numpy"})) -> dict[str, Path]:
    """Name -> file of the user's own steps: to be copied into own_steps/ in a copy of host/.

    `has`: what a Python file may import there. Raises UnsupportedModel where one imports more.
    """
    return own.files(planned.staging, has)


def _before(
    side: Side, name: str, number: int, model: Signature, files: Mapping[str, Path], folder: Path
) -> str | None:
    if side.port is None:
        return None
    tensor = next(spec for spec in model.inputs if spec.name == name)
    file = f"before-{number}.onnx"
    steps = own.captured(side.graph, files)
    _save(graphs.before(steps, side.port, tensor), folder / file)
    return file


def _after(planned: Plan, model: Signature, folder: Path) -> str | None:
    if not planned.graph:
        return None
    gives = _between(planned, model)
    _save(graphs.after(planned.graph, model.outputs, gives), folder / AFTER)
    return AFTER


def _between(planned: Plan, model: Signature) -> list[TensorSpec]:
    """What the graph hands to the host: the answer's tensors, but of sizes that only it knows."""
    final = {spec.name for spec in planned.staging.signature.outputs}
    on_host = {stage.of for stage in planned.host}
    unchanged = {spec.name for spec in model.outputs} & final - {s.of for s in planned.graph}
    return [
        replace(spec, shape=tuple(f"{spec.name}_{i}" for i in range(len(spec.shape))))
        if spec.name in on_host
        else spec
        for spec in planned.staging.signature.outputs
        if spec.name not in unchanged
    ]


def _spec(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)}


def _save(model: Any, path: Path) -> None:
    path.write_bytes(model.SerializeToString(deterministic=True))
