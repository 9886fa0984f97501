"""Which value of one graph stands for which of another. In: two ModelProtos. Out: Steps.

Names decide where both graphs use them for the same things; where a tool has renamed its values,
the order of operators does. What lies between two values that both graphs have is a step: often
one node, more where one side has fused, added or left out some.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from deploy_targets.graph.cut import makers, needed_for
from deploy_targets.graph.tap import values

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto

Shapes = Mapping[str, tuple[int, ...] | None]
Names = Mapping[str, str]

TRUSTED = 0.5
"""Names are believed where at least this share of the common ones is made by the same operator."""


@dataclass(frozen=True)
class Step:
    """From values that both graphs have to the next one; nodes are counted from 0."""

    original: str
    artifact: str
    feeds: tuple[tuple[str, str], ...]
    """The values that the artifact's nodes start from: (original's name, artifact's name)."""
    original_nodes: tuple[int, ...]
    artifact_nodes: tuple[int, ...]


def align(
    original: GraphProto,
    artifact: GraphProto,
    boundary: Names,
    shapes: tuple[Shapes, Shapes] = ({}, {}),
) -> list[Step]:
    """The steps in the artifact's order. `boundary`: the artifact's inputs and outputs -> ours."""
    pairs = _pairs(original, artifact, boundary, shapes)
    back = {ours: theirs for theirs, ours in pairs.items()}
    known_there = set(pairs) | {value.name for value in artifact.input}
    known_here = set(back) | {value.name for value in original.input}
    names = {**pairs, **{v.name: boundary.get(v.name, v.name) for v in artifact.input}}
    made_here, made_there = makers(original), makers(artifact)
    steps = []
    for theirs in values(artifact):
        if theirs not in pairs:
            continue
        nodes, used = needed_for(artifact, theirs, known_there, made_there)
        ours = pairs[theirs]
        feeds = tuple((names[name], name) for name in sorted(used))
        mine, _ = needed_for(original, ours, known_here, made_here)
        steps.append(Step(ours, theirs, feeds, tuple(mine), tuple(nodes)))
    return steps


def _pairs(
    original: GraphProto, artifact: GraphProto, boundary: Names, shapes: tuple[Shapes, Shapes]
) -> dict[str, str]:
    """The artifact's name -> the original's, of values that nodes compute."""
    here, there = _makers(original), _makers(artifact)
    pairs = {v.name: boundary.get(v.name, v.name) for v in artifact.output}
    pairs = {theirs: ours for theirs, ours in pairs.items() if theirs in there and ours in here}
    taken = set(pairs.values())
    common = [n for n in there if n in here and n not in pairs and n not in taken]
    same = sum(here[name].op_type == there[name].op_type for name in common)
    if common and same >= TRUSTED * len(common):
        pairs |= {name: name for name in common}
    if len(pairs) < min(len(here), len(there)):
        pairs |= _by_order(original, artifact, pairs, shapes)
    return pairs


def _by_order(
    original: GraphProto, artifact: GraphProto, pairs: Names, shapes: tuple[Shapes, Shapes]
) -> dict[str, str]:
    """Values without a partner, matched by operator and shape between those that have one."""
    here, there = values(original), values(artifact)
    nodes = _makers(original), _makers(artifact)
    partnered = set(pairs.values())
    left = [("", n) if n in partnered else _look(nodes[0][n], shapes[0].get(n)) for n in here]
    right = [("", pairs[n]) if n in pairs else _look(nodes[1][n], shapes[1].get(n)) for n in there]
    found = {}
    for block in SequenceMatcher(None, left, right, autojunk=False).get_matching_blocks():
        for offset in range(block.size):
            ours, theirs = here[block.a + offset], there[block.b + offset]
            if theirs not in pairs:
                found[theirs] = ours
    return found


def _look(node: NodeProto, shape: tuple[int, ...] | None) -> tuple[object, ...]:
    return (node.domain, node.op_type, shape)


def _makers(graph: GraphProto) -> dict[str, NodeProto]:
    known = set(values(graph))
    return {name: node for node in graph.node for name in node.output if name in known}


def nodes_of(graph: GraphProto, indices: Sequence[int]) -> list[NodeProto]:
    """Nodes by their numbers, without those that only hold a constant."""
    chosen = (graph.node[index] for index in indices)
    return [node for node in chosen if node.op_type != "Constant"]
