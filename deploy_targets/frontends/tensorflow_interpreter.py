"""A frozen graph of TensorFlow's, run eagerly one operation after another.

In: a Frozen and tensors. Out: tensors. Before each operation a `Way` may look at it, change what
goes in and what comes out; loops and branches are followed, so that what happens in them is seen.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Protocol

from deploy_targets.frontends.tensorflow_frozen import Frozen
from deploy_targets.frontends.tensorflow_quiet import tensorflow

LOOPS = frozenset({"While", "StatelessWhile"})
BRANCHES = frozenset({"If", "StatelessIf"})
CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
PASSES = frozenset({"Identity", "StopGradient", "Snapshot", "PreventGradient", "EnsureShape"})
IGNORED = frozenset({"NoOp", "Assert", "Placeholder", "_Arg", "_Retval"})


class Way(Protocol):
    """How operations are computed."""

    def kind(self, dtype: Any) -> Any:
        """The type that stands for a type of the graph."""

    def constant(self, value: Any) -> Any:
        """A constant of the graph as it is to be used."""

    def compute(self, op: Any, inputs: list[Any], call: Any) -> list[Any]:
        """`call(inputs)`, or something beside it."""


class Plain:
    """As it is written."""

    def kind(self, dtype: Any) -> Any:
        return dtype

    def constant(self, value: Any) -> Any:
        return value

    def compute(self, op: Any, inputs: list[Any], call: Any) -> list[Any]:
        result: list[Any] = call(inputs)
        return result


class Interpreter:
    """Runs the graph. What it has learnt of operations is kept from run to run."""

    def __init__(self, frozen: Frozen) -> None:
        tf = tensorflow()
        self._tf, self._frozen = tf, frozen
        self._graph = tf.Graph()
        with self._graph.as_default():
            tf.graph_util.import_graph_def(frozen.graph, name="")
        self._library = {f.signature.name: f for f in frozen.graph.library.function}
        self._bodies: dict[str, Any] = {}
        self._settings: dict[int, dict[str, list[Any]]] = {}

    def run(self, tensors: Sequence[Any], way: Way) -> list[Any]:
        """The outputs in the model's order."""
        graph = self._graph
        feeds = [graph.get_tensor_by_name(name) for name in self._frozen.inputs]
        ends = [graph.get_tensor_by_name(name) for name in self._frozen.outputs]
        with self._tf.device("CPU:0"):
            return self._walk(graph, feeds, ends, tensors, way)

    def _walk(
        self, graph: Any, feeds: Sequence[Any], ends: Sequence[Any], given: Sequence[Any], way: Way
    ) -> list[Any]:
        known = {feed.name: value for feed, value in zip(feeds, given, strict=True)}
        for op in graph.get_operations():
            if op.type in IGNORED:
                continue
            inputs = [known[tensor.name] for tensor in op.inputs]
            for tensor, value in zip(op.outputs, self._one(op, inputs, way), strict=True):
                known[tensor.name] = value
        return [known[end.name] for end in ends]

    def _one(self, op: Any, inputs: list[Any], way: Way) -> list[Any]:
        if op.type in PASSES:
            return inputs
        if op.type == "IdentityN":
            return inputs
        if op.type == "Const":
            return [way.constant(self._constant(op, way))]
        if op.type in CALLS:
            return self._called(op.get_attr("f"), inputs, way)
        if op.type in BRANCHES:
            chosen = op.get_attr("then_branch" if bool(inputs[0]) else "else_branch")
            return self._called(chosen, inputs[1:], way)
        if op.type in LOOPS:
            while bool(self._called(op.get_attr("cond"), inputs, way)[0]):
                inputs = self._called(op.get_attr("body"), inputs, way)
            return inputs
        return way.compute(op, inputs, functools.partial(self._raw, op, way))

    def _constant(self, op: Any, way: Way) -> Any:
        key = f"{id(op.graph)} {op.name} {way.kind(op.outputs[0].dtype)}"
        if key not in self._bodies:
            value = self._tf.make_ndarray(op.get_attr("value"))
            self._bodies[key] = self._tf.constant(value, way.kind(op.outputs[0].dtype))
        return self._bodies[key]

    def _called(self, function: Any, inputs: Sequence[Any], way: Way) -> list[Any]:
        from tensorflow.python.framework import function_def_to_graph  # type: ignore[import-untyped,unused-ignore]

        name = function if isinstance(function, str) else function.name
        if name not in self._bodies:
            with self._graph.as_default():
                self._bodies[name] = function_def_to_graph.function_def_to_graph(
                    self._library[name]
                )
        body = self._bodies[name]
        return self._walk(body, body.inputs, body.outputs, inputs, way)

    def _raw(self, op: Any, way: Way, inputs: Sequence[Any]) -> list[Any]:
        from tensorflow.python.eager import (  # type: ignore[import-untyped,unused-ignore]
            context,
            execute,
        )

        if op.name not in self._settings.setdefault(id(op.graph), {}):
            self._settings[id(op.graph)][op.name] = _settings(self._tf, op)
        settings = [self._stated(value, way) for value in self._settings[id(op.graph)][op.name]]
        flat: list[Any] = execute.execute(
            op.type, len(op.outputs), list(inputs), tuple(settings), context.context()
        )
        return flat

    def _stated(self, value: Any, way: Way) -> Any:
        """A setting as the runtime takes it: types by number."""
        if isinstance(value, list):
            return [self._stated(one, way) for one in value]
        if isinstance(value, self._tf.DType):
            return way.kind(value).as_datatype_enum
        return value


def _settings(tf: Any, op: Any) -> list[Any]:
    """Name and value by turns, of all attributes of an operation."""

    def plain(value: Any) -> Any:
        if isinstance(value, list):
            return [plain(one) for one in value]
        if type(value).__name__ == "TensorShapeProto":
            shape = tf.TensorShape(value)
            return shape.as_list() if shape.rank is not None else None
        return value

    names = [attribute.name for attribute in op.op_def.attr]
    return [part for name in names for part in (name, plain(op.get_attr(name)))]
