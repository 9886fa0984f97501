"""How two pieces of graph differ on paper. In: nodes of both and where their constants lie.

Out: the operators that only one side has, the attributes that differ, the constants that differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deploy_targets.records import Array

if TYPE_CHECKING:
    from onnx import GraphProto, NodeProto


_USUAL = {"pads": "0", "strides": "1", "dilations": "1"}
"""What lists hold where they are not set; their length is that of the operator's rank."""


@dataclass(frozen=True)
class Constant:
    """A weight (or another constant) that is not the same on both sides."""

    name: str
    node: str
    original: Array
    artifact: Array


@dataclass(frozen=True)
class Attribute:
    """A setting of a node that is not the same on both sides; "" where one side has none."""

    node: str
    name: str
    original: str
    artifact: str


@dataclass(frozen=True)
class Unlike:
    """What differs on paper. All empty: the two pieces are the same."""

    missing: tuple[str, ...]
    """Operators that only the original has."""
    extra: tuple[str, ...]
    """Operators that only the artifact has."""
    attributes: tuple[Attribute, ...]
    constants: tuple[Constant, ...]


def constants_of(graph: GraphProto) -> dict[str, object]:
    """Every constant by its name, not yet unpacked: initializers and Constant nodes."""
    found: dict[str, object] = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            found[node.output[0]] = node.attribute[0]
    return found


def unlike(
    original: tuple[Sequence[NodeProto], Mapping[str, object]],
    artifact: tuple[Sequence[NodeProto], Mapping[str, object]],
    folders: tuple[str, str] = ("", ""),
) -> Unlike:
    """`original` and `artifact`: nodes, and the constants of their graphs.

    `folders`: where weights lie that are outside of the graph's own file.
    """
    ours, theirs = original[0], artifact[0]
    here, there = (Counter(node.op_type for node in nodes) for nodes in (ours, theirs))
    pairs = list(_partners(ours, theirs))
    return Unlike(
        tuple((here - there).elements()),
        tuple((there - here).elements()),
        tuple(found for one, other in pairs for found in _attributes(one, other)),
        tuple(
            found
            for one, other in pairs
            for found in _constants(one, other, original[1], artifact[1], folders)
        ),
    )


def _partners(
    ours: Sequence[NodeProto], theirs: Sequence[NodeProto]
) -> Iterator[tuple[NodeProto, NodeProto]]:
    """Nodes with the same operator, in order."""
    left = list(theirs)
    for node in ours:
        partner = next((other for other in left if other.op_type == node.op_type), None)
        if partner is not None:
            left.remove(partner)
            yield node, partner


def _attributes(one: NodeProto, other: NodeProto) -> Iterator[Attribute]:
    here, there = ({a.name: _said(a) for a in node.attribute} for node in (one, other))
    for name in sorted({*here, *there}):
        if here.get(name, "") != there.get(name, ""):
            yield Attribute(
                one.name or one.output[0], name, here.get(name, ""), there.get(name, "")
            )


def _said(attribute: object) -> str:
    from onnx import helper

    value = helper.get_attribute_value(attribute)  # type: ignore[arg-type]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(list(value) if hasattr(value, "__len__") and not isinstance(value, str) else value)


def _constants(
    one: NodeProto,
    other: NodeProto,
    here: Mapping[str, object],
    there: Mapping[str, object],
    folders: tuple[str, str],
) -> Iterator[Constant]:
    for mine, its in zip(one.input, other.input, strict=False):
        if mine in here and its in there:
            want, got = _array(here[mine], folders[0]), _array(there[its], folders[1])
            if not _same(want, got):
                yield Constant(mine, one.name or one.output[0], want, got)


def _same(want: Array, got: Array) -> bool:
    return want.dtype == got.dtype and want.shape == got.shape and want.tobytes() == got.tobytes()


def _array(held: object, folder: str) -> Array:
    import onnx
    from onnx import helper, numpy_helper

    if isinstance(held, onnx.TensorProto):
        return np.asarray(numpy_helper.to_array(held, folder))
    value = helper.get_attribute_value(held)  # type: ignore[arg-type]
    if isinstance(value, onnx.TensorProto):
        return np.asarray(numpy_helper.to_array(value, folder))
    return np.asarray(value)
