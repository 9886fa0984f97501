"""Every graph in a model, and every node, the bodies of If, Loop and Scan included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


def graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """The graph itself, then the bodies inside it, outer ones first."""
    yield graph
    for node in graph.node:
        for body in bodies(node):
            yield from graphs(body)


def bodies(node: NodeProto) -> Iterator[GraphProto]:
    """The graphs that a node holds as attributes."""
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def values(graph: GraphProto) -> set[str]:
    """Every name of a value in the graph and in its bodies."""
    found: set[str] = set()
    for each in graphs(graph):
        found |= {value.name for value in (*each.input, *each.output, *each.initializer)}
        found |= {value.values.name for value in each.sparse_initializer}
        for node in each.node:
            found |= {*node.input, *node.output}
    return found - {""}
