"""Cuts the captured graph, builds each part for the target, runs it there: what any runtime allows.

In: a question whose graphs are right (or cannot be seen), and the captured graph. Out: the first
node after which the target's own runtime disagrees; or that it computes the whole graph rightly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets import choose, pipeline
from deploy_targets.binding import in_model_terms
from deploy_targets.choose import Attempt
from deploy_targets.errors import DeployError
from deploy_targets.explaining.question import Question
from deploy_targets.explaining.sides import Parting, Side
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.graph import cut
from deploy_targets.graph.align import Step
from deploy_targets.parity import bisect
from deploy_targets.parity.bisect import Parted
from deploy_targets.parity.difference import apart
from deploy_targets.parity.verify import answers
from deploy_targets.pipeline import Job
from deploy_targets.records import (
    TENSORS,
    Array,
    Bundle,
    Capture,
    Case,
    Dialect,
    Golden,
    Graph,
    Prepared,
    Signature,
    TensorSpec,
)
from deploy_targets.runtime import Runner
from deploy_targets.workspace import Workspace

if TYPE_CHECKING:
    from onnx import ValueInfoProto

CUT = Capture(Dialect.ONNX, "cut")


@dataclass
class Rebuilt:
    """The parts of one graph, built and run one after another. Counts the runs."""

    question: Question
    original: Side
    runner: Runner
    workspace: Workspace
    folder: Path
    runs: int = 0
    came: dict[int, dict[str, Array]] = field(default_factory=dict)

    def agrees(self, count: int) -> bool:
        """Whether the target's runtime computes all that is alive after the first nodes."""
        want = self.original.fetch(cut.frontier(self.original.model.graph, count))
        if not want:
            return True
        self.runs += 1
        self.came[count] = self._run(count, want)
        got = self.came[count]
        allowed = self.question.allowed
        return all(name in got and apart(a, got[name]) <= allowed for name, a in want.items())

    def _run(self, count: int, want: dict[str, Array]) -> dict[str, Array]:
        names = {f"value_{index}": name for index, name in enumerate(want)}
        bundle = self._bundle(count, names, want)
        try:
            for _, answer in answers(bundle, self.runner, self.question.lane):
                entry = bundle.manifest.entries[0]
                said = in_model_terms(answer.outputs, entry)
                return {name: said[safe] for safe, name in names.items() if safe in said}
        except DeployError:
            raise
        except Exception:
            # A runtime that refuses a part of the graph does not compute it.
            return {}
        return {}

    def _bundle(self, count: int, names: dict[str, str], want: dict[str, Array]) -> Bundle:
        """A sealed bundle of the first nodes, at the sizes of the question."""
        place = self.folder / f"cut-{self.runs}"
        place.mkdir()
        _write(self.original, count, names, place / "model.onnx")
        inputs = tuple(_spec(name, array) for name, array in self.original.feeds.items())
        outputs = tuple(_spec(safe, want[name]) for safe, name in names.items())
        signature = Signature(inputs, outputs)
        given = {safe: want[name] for safe, name in names.items()}
        case = Case("cut", "a part of the graph", self.original.feeds, given)
        target, manifest = self.question.target, self.question.bundle.manifest
        lane = next(lane for lane in manifest.lanes if lane.name == self.question.lane)
        graph = Graph(Dialect.ONNX, place, manifest.source, CUT.how)
        return pipeline.seal(
            Prepared(manifest.name, signature, graph, manifest.recipes[lane.recipe]),
            (Golden(TENSORS, signature, (case,), {}),),
            Job(SourceSpec("", place), target, place),
            Attempt(target, CUT, place / "bundle"),
            self.workspace,
        )


def first_difference(
    question: Question, original: Side, workspace: Workspace
) -> tuple[Parting | None, int]:
    """Where the target's runtime leaves the graph (None: nowhere), and in how many runs.

    Raises the DeployErrors of building and running.
    """
    nodes = len(original.model.graph.node)
    with workspace.scratch() as folder, choose.world(question.target, workspace) as runner:
        rebuilt = Rebuilt(question, original, runner, workspace, folder)
        found = bisect.first_difference(nodes, rebuilt.agrees)
        if found is None:
            return None, rebuilt.runs
        return _parting(original, found.step, rebuilt.came[found.step]), rebuilt.runs


def _parting(original: Side, count: int, came: dict[str, Array]) -> Parting:
    """The last of the first `count` nodes, and what it was given and gave."""
    graph = original.model.graph
    node = graph.node[count - 1]
    feeds = [name for name in dict.fromkeys(node.input) if name in original.shapes]
    feeds += [name for name in dict.fromkeys(node.input) if name in original.feeds]
    outputs = [name for name in node.output if name in original.shapes]
    want = {**original.feeds, **original.fetch([*feeds, *outputs])}
    name = max(outputs, key=lambda n: apart(want[n], came[n]) if n in came else math.inf)
    got = came.get(name, want[name][:0] if want[name].ndim else want[name])
    step = Step(name, name, tuple((f, f) for f in feeds), (count - 1,), (count - 1,))
    return Parting(Parted(step, got, apart(want[name], got), True), want, want)


def _spec(name: str, array: Array) -> TensorSpec:
    return TensorSpec(name, array.dtype.name, array.shape)


def _write(original: Side, count: int, names: dict[str, str], path: Path) -> None:
    import onnx
    from onnx import helper

    part = cut.prefix(original.model, count)
    for value in part.graph.input:
        if value.name in original.feeds:
            value.CopyFrom(_declared(value.name, original.feeds[value.name]))
    del part.graph.output[:]
    seen = original.fetch(list(names.values()))
    for safe, name in names.items():
        part.graph.node.append(helper.make_node("Identity", [name], [safe], safe))
        part.graph.output.append(_declared(safe, seen[name]))
    if original.beside is not None:
        onnx.external_data_helper.load_external_data_for_model(part, str(original.beside))
    onnx.save(part, path)


def _declared(name: str, array: Array) -> ValueInfoProto:
    from onnx import helper

    return helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
    )
