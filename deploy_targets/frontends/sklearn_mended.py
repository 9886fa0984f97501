"""Estimators, and what is written of them, in the forms that skl2onnx and onnx take.

In: an estimator. Out: a copy for skl2onnx alone, which answers the same; and graphs in which what
skl2onnx answers otherwise than scikit-learn is put right.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

WHOLE = "deploy_target_whole"


def mended(estimator: Any) -> Any:
    """A copy that answers the same, in the forms that skl2onnx reads."""
    own = copy.deepcopy(estimator)
    for part in _parts(own, set()):
        if hasattr(part, "flatten_transform"):
            # Of a vote's transform, which nobody asks here.
            part.flatten_transform = False
    return own


@contextlib.contextmanager
def plain_numbers() -> Iterator[None]:
    """Lets False stand among the integers of an attribute, as skl2onnx writes it for the leaves of
    histogram trees and protobuf no longer takes it. For this process, which does nothing else."""
    from onnx import helper

    make = helper.make_attribute

    def plain(key: str, value: Any, *more: Any, **named: Any) -> Any:
        listed = isinstance(value, list) and any(isinstance(each, bool) for each in value)
        return make(key, [int(each) for each in value] if listed else value, *more, **named)

    helper.make_attribute = plain
    try:
        yield
    finally:
        helper.make_attribute = make


def keep_fractions_unknown(model: ModelProto) -> None:
    """Where numbers are encoded as one of several, lets 0.7 be unknown: skl2onnx makes it 0."""
    from onnx import helper

    made_by = {output: node for node in model.graph.node for output in node.output}
    nodes: list[NodeProto] = []
    for number, node in enumerate(model.graph.node):
        cast = made_by.get(node.input[0]) if node.op_type == "OneHotEncoder" else None
        if cast is not None and cast.op_type == "Cast":
            known = next(a.ints for a in node.attribute if a.name == "cats_int64s")
            name = f"{WHOLE}_{number}"
            nodes += _whole_or(max(known) + 1, cast, name)
            node.input[0] = name
        nodes.append(helper.make_node("Identity", ["a"], ["b"]))
        nodes[-1].CopyFrom(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def _whole_or(unknown: int, cast: NodeProto, name: str) -> list[NodeProto]:
    """The nodes that give `name`: what is cast where it is whole, else a value for unknown."""
    from onnx import TensorProto, helper

    make, given = helper.make_node, cast.input[0]
    value = helper.make_tensor(f"{name}_value", TensorProto.INT64, [], [unknown])
    return [
        make("Constant", [], [f"{name}_unknown"], value=value),
        make("Cast", [given], [f"{name}_float"], to=TensorProto.DOUBLE),
        make("Floor", [f"{name}_float"], [f"{name}_floor"]),
        make("Equal", [f"{name}_float", f"{name}_floor"], [f"{name}_is"]),
        make("Where", [f"{name}_is", cast.output[0], f"{name}_unknown"], [name]),
    ]


def _parts(thing: Any, seen: set[int]) -> Iterator[Any]:
    """Every estimator inside of one, itself among them."""
    from sklearn.base import BaseEstimator  # type: ignore[import-untyped,unused-ignore]

    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, BaseEstimator):
        yield thing
        for value in list(vars(thing).values()):
            yield from _parts(value, seen)
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from _parts(value, seen)
    elif isinstance(thing, list | tuple) or (isinstance(thing, np.ndarray) and thing.dtype == "O"):
        for value in thing:
            yield from _parts(value, seen)
