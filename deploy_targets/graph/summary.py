"""What an ONNX graph is made of. In: model.onnx. Out: operators, parameters, bytes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True)
class Summary:
    """Counts over the whole graph, the bodies of control flow included."""

    opset: int
    operators: Mapping[str, int]
    parameters: int
    """Elements of all initializers."""
    size: int
    """Bytes of the file."""


def summarize(path: Path) -> Summary:
    """Reads the graph without its weights."""
    import onnx

    model = onnx.load(path, load_external_data=False)
    graphs = list(_graphs(model.graph))
    operators = Counter(_qualified(node) for graph in graphs for node in graph.node)
    weights = [tensor for graph in graphs for tensor in graph.initializer]
    return Summary(
        opset=next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx")),
        operators=dict(sorted(operators.items(), key=lambda item: (-item[1], item[0]))),
        parameters=sum(math.prod(tensor.dims) for tensor in weights),
        size=path.stat().st_size,
    )


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    yield from _graphs(inner)


def _qualified(node: onnx.NodeProto) -> str:
    standard = node.domain in ("", "ai.onnx")
    return str(node.op_type) if standard else f"{node.domain}.{node.op_type}"
