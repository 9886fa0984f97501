"""Which nodes of a graph a call of a module became. In: a graph and node -> module. Out: Groups.

Exporters keep the order in which modules were called; a module called several times has several
groups, in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy_targets.graph.cut import reads

if TYPE_CHECKING:
    from onnx import GraphProto


@dataclass(frozen=True)
class Group:
    """The nodes of one call, and what goes in and out of them besides weights."""

    nodes: tuple[int, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def groups(graph: GraphProto, modules: Mapping[str, str], path: str, count: int) -> list[Group]:
    """One for each of `count` calls of a module; none where nodes and calls cannot be paired."""
    inside = [
        index
        for index, node in enumerate(graph.node)
        if node.op_type != "Constant" and _within(modules.get(node.name), path)
    ]
    return [_group(graph, nodes) for nodes in _runs(graph, inside, count)]


def _within(module: str | None, path: str) -> bool:
    return module is not None and (not path or module == path or module.startswith(f"{path}."))


def _runs(graph: GraphProto, inside: list[int], count: int) -> list[list[int]]:
    """The nodes of each call: all of them, unbroken runs, or equal shares."""
    if not inside or count == 0:
        return []
    if count == 1:
        return [inside]
    runs: list[list[int]] = []
    for index in inside:
        between = graph.node[runs[-1][-1] + 1 : index] if runs else []
        if runs and all(node.op_type == "Constant" for node in between):
            runs[-1].append(index)
        else:
            runs.append([index])
    if len(runs) == count:
        return runs
    share, rest = divmod(len(inside), count)
    return [] if rest else [inside[i * share : (i + 1) * share] for i in range(count)]


def _group(graph: GraphProto, nodes: list[int]) -> Group:
    chosen = set(nodes)
    weights = {tensor.name for tensor in graph.initializer}
    weights |= {n.output[0] for n in graph.node if n.op_type == "Constant"}
    made = [name for index in nodes for name in graph.node[index].output if name]
    used = {value.name for value in graph.output}
    for index, node in enumerate(graph.node):
        if index not in chosen:
            used |= reads(node)
    asked = dict.fromkeys(
        name
        for index in nodes
        for name in [*graph.node[index].input, *sorted(reads(graph.node[index]))]
        if name and name not in made and name not in weights
    )
    return Group(tuple(nodes), tuple(asked), tuple(name for name in made if name in used))
