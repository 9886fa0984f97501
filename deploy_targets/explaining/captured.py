"""The captured graph against the eager original, module by module. In: both. Out: a Culprit.

Each call of a module is a step: what it was given and gave back in eager mode, and the values of
the graph that stand for them. The first step that turns what agrees into what does not is blamed;
the nodes inside it and the line of the user's source are named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from deploy_targets.explaining.blame import Sources, sight
from deploy_targets.explaining.sides import FINER, Side
from deploy_targets.frontends.eager import EagerModel
from deploy_targets.frontends.hooks import ModuleCall, watch
from deploy_targets.graph.cut import needed_for
from deploy_targets.graph.modules import Group, groups
from deploy_targets.parity import bisect
from deploy_targets.parity.bisect import Parted
from deploy_targets.parity.difference import apart, kind_of_difference
from deploy_targets.parity.finding import Culprit, Stage
from deploy_targets.records import Array, Tensors

PASSIVE = {"Cast", "Identity"}
"""Operators that exporters put behind others; they are named only where there is nothing else."""
SHOWN = 6
"""Nodes of a module that are named."""


@dataclass(frozen=True)
class CallStep:
    """One output of one call of a module, and the value of the graph that stands for it."""

    call: ModuleCall
    group: Group
    original: str
    artifact: str
    feeds: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Watched:
    """The calls of an eager run as steps, and the values of both sides."""

    steps: tuple[CallStep, ...]
    eager: Tensors
    graph: Tensors
    paths: set[str]
    """Every module that was called."""


def culprit(
    model: EagerModel, inputs: Tensors, side: Side, sources: Sources, distance: float
) -> Culprit | None:
    """The module (and the nodes in it) at which the captured graph leaves the original."""
    answers, calls = watch(model, inputs)
    seen = _pair(side, sources, calls, answers)
    # Eager mode and a graph differ in the last bits everywhere: that is never looked at.
    for share in FINER[:-1]:
        allowed = share * bisect.tolerance(distance)
        parted = bisect.first_parting(
            seen.steps,
            seen.eager,
            seen.graph,
            lambda step, known: side.alone(step.artifact, known),
            allowed,
        )
        if parted:
            return _blame(parted, seen, side, sources, allowed)
    return None


def _pair(side: Side, sources: Sources, calls: Sequence[ModuleCall], answers: Tensors) -> Watched:
    graph = side.model.graph
    values = {**side.feeds, **side.fetch(list(side.shapes))}
    # Containers count, though nobody may have called them.
    known = {path for call in calls for path in _with_containers(call.path)}
    modules = {node: _path(found.get("module", ""), known) for node, found in sources.items()}
    counts = Counter(call.path for call in calls)
    found = {path: groups(graph, modules, path, count) for path, count in counts.items()}
    steps: list[CallStep] = []
    eager: dict[str, Array] = dict(side.feeds)
    for call in calls:
        if not call.path:
            continue
        if call.number < len(found[call.path]):
            group = found[call.path][call.number]
            steps += _steps_of(call, group, values, eager)
    last = next(call for call in reversed(calls) if not call.path)
    whole = Group(
        tuple(range(len(graph.node))),
        tuple(side.feeds),
        tuple(value.name for value in graph.output),
    )
    feeds = tuple((name, name) for name in side.feeds)
    for name, array in answers.items():
        eager[f"answer {name}"] = array
        steps.append(CallStep(last, whole, f"answer {name}", name, feeds))
    return Watched(tuple(steps), eager, values, known)


def _with_containers(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[: end + 1]) for end in range(len(parts))]


def _path(noted: str, known: set[str]) -> str:
    """A module's own path. An exporter that numbers the calls of a module says act_1 for act."""
    path = ""
    for part in noted.split(".") if noted else ():
        candidates = (part, part.rpartition("_")[0])
        path = next((p for c in candidates if (p := f"{path}.{c}".strip(".")) in known), path)
    return path


def _steps_of(
    call: ModuleCall, group: Group, values: Tensors, eager: dict[str, Array]
) -> list[CallStep]:
    """Pairs tensors with values by their shape, in order; adds the tensors to `eager`."""
    head = f"{call.path}#{call.number}"
    feeds = []
    for index, (array, name) in enumerate(_alike(call.inputs, group.inputs, values)):
        eager[f"{head} in {index}"] = array
        feeds.append((f"{head} in {index}", name))
    steps = []
    # The last values of a module are what it gives back.
    outputs = _alike(call.outputs[::-1], group.outputs[::-1], values)
    for index, (array, name) in enumerate(outputs):
        eager[f"{head} out {index}"] = array
        steps.append(CallStep(call, group, f"{head} out {index}", name, tuple(feeds)))
    return steps


def _alike(
    arrays: Sequence[Array], names: Sequence[str], values: Tensors
) -> list[tuple[Array, str]]:
    left = [name for name in names if name in values]
    if len(arrays) == len(left) == 1:
        return [(arrays[0], left[0])]
    pairs = []
    for array in arrays:
        fits = (n for n in left if values[n].shape == array.shape)
        if (name := next((n for n in fits if values[n].dtype == array.dtype), None)) is not None:
            left.remove(name)
            pairs.append((array, name))
    return pairs


def _blame(
    parted: Parted[CallStep], seen: Watched, side: Side, sources: Sources, allowed: float
) -> Culprit:
    step, graph = parted.step, side.model.graph
    wanted = seen.eager[step.original]
    numbers = kind_of_difference(wanted, parted.got)
    own = _own(step, side, sources, seen.paths)
    wrong = _given_something_else(step, seen, allowed)
    active = [i for i in own if graph.node[i].op_type not in PASSIVE]
    chosen = wrong.group.nodes[0] if wrong else (active or own or step.group.nodes or (0,))[-1]
    node = graph.node[chosen]
    line = (wrong.call.line if wrong else "") or sources.get(node.name, {}).get("line", "")
    module = step.call.path or "the model itself"
    named = ", ".join(f"{graph.node[i].op_type} {graph.node[i].name}" for i in own[-SHOWN:])
    details = [f"nodes that came of its own code: {named or 'none'}"]
    if wrong:
        details.append(f"inside it, {wrong.call.path} is given something else than in eager mode")
    return Culprit(
        Stage.CAPTURE,
        node.op_type,
        node.name or node.output[0],
        step.call.path,
        line or step.call.line,
        numbers.kind,
        f"{module}, captured, does not compute what it computes in eager mode: {numbers.words}",
        sight(step.artifact, wanted, parted.got),
        tuple(
            sight(t, seen.eager[o], seen.graph[t])
            for o, t in step.feeds
            if o in seen.eager and t in seen.graph
        ),
        tuple(details),
    )


def _given_something_else(step: CallStep, seen: Watched, allowed: float) -> CallStep | None:
    """The first call inside a module whose inputs differ: then the module's own code is wrong."""
    for inner in seen.steps:
        outer = f"{step.call.path}." if step.call.path else ""
        if inner.call.path in ("", step.call.path) or not inner.call.path.startswith(outer):
            continue
        if set(inner.group.nodes) <= set(step.group.nodes) and any(
            apart(seen.eager[ours], seen.graph[theirs]) > allowed for ours, theirs in inner.feeds
        ):
            return inner
    return None


def _own(step: CallStep, side: Side, sources: Sources, known: set[str]) -> list[int]:
    """The nodes of a module's own code that its output is computed by, in order."""
    graph = side.model.graph
    behind, _ = needed_for(graph, step.artifact, ())
    return [
        index
        for index in step.group.nodes
        if index in behind
        and graph.node[index].op_type != "Constant"
        and _path(sources.get(graph.node[index].name, {}).get("module", ""), known)
        == step.call.path
    ]
