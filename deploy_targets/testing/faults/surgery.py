"""A copy of an ONNX graph to cut in: look at it, change constants and attributes, insert nodes.

Every edit keeps the names and shapes of what the graph answers, so that a runtime loads the result
without a word. Nodes may be added in any order; `finished` sorts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from deploy_targets.graph.walk import graphs, values
from deploy_targets.records import Dim

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

Thing = TypeVar("Thing")
Numbers = NDArray[Any]
Shape = tuple[Dim | None, ...]

_ADDED_SINCE = 13
"""The first opset in which every operator that a fault adds means what it is taken for."""


class Surgery:
    """One operation on one copy; the seed decides wherever there is a choice."""

    def __init__(self, model: ModelProto, seed: int) -> None:
        import onnx
        from onnx import inliner

        self._honest = model
        self.model = onnx.ModelProto()
        self.model.CopyFrom(model)
        if self.model.functions:
            self.model = inliner.inline_local_functions(self.model)
        self._start = self.model.SerializeToString(deterministic=True)
        self.graph = self.model.graph
        self.random = np.random.default_rng(seed)
        self._taken = values(self.graph)
        self._added = False
        self._makers: dict[str, NodeProto] | None = None  # made when asked for
        self._held = {tensor.name: tensor for tensor in self.graph.initializer}

    @cached_property
    def opset(self) -> int:
        """The version of ONNX's own operators that the graph uses."""
        return next(int(i.version) for i in self.model.opset_import if i.domain in ("", "ai.onnx"))

    # Looking

    def nodes(self, *ops: str) -> list[NodeProto]:
        """The nodes of these operators in the main graph, in order; all, if none is named."""
        return [node for node in self.graph.node if not ops or node.op_type in ops]

    def producer(self, value: str) -> NodeProto | None:
        """The node that makes a value; None for inputs and initializers."""
        if self._makers is None:
            self._makers = {name: node for node in self.graph.node for name in node.output}
        return self._makers.get(value)

    def users(self, value: str) -> list[NodeProto]:
        """The nodes of the main graph that take a value."""
        return [node for node in self.graph.node if value in node.input]

    def is_answer(self, value: str) -> bool:
        """Whether the graph gives this value out."""
        return any(value == output.name for output in self.graph.output)

    def shape(self, value: str) -> Shape | None:
        """Sizes, names of dynamic axes, or None for what is not known, axis by axis."""
        return self._types.get(value, (0, None))[1]

    def is_float(self, value: str) -> bool:
        """Whether a value is known to be float32."""
        import onnx

        return self._types.get(value, (0, None))[0] == onnx.TensorProto.FLOAT

    def activations(self, *ops: str) -> list[str]:
        """The float32 values that operators make on the way, constants aside, of known rank."""
        shapes = ("Shape", "Constant", "Identity", "DequantizeLinear")
        made = [n.output[0] for n in self.nodes(*ops) if n.op_type not in shapes]
        return [value for value in made if self.is_float(value) and self.shape(value)]

    def channels(self, value: str) -> list[int]:
        """The size of a value's second axis, where it has one and the size is fixed."""
        shape = self.shape(value) or ()
        return [size for size in shape[1:2] if isinstance(size, int)]

    def attribute(self, node: NodeProto, name: str, default: Any = None) -> Any:
        """The value of an attribute, or what holds where it is not written."""
        from onnx import helper

        found = next((a for a in node.attribute if a.name == name), None)
        return default if found is None else helper.get_attribute_value(found)

    def constant(self, value: str) -> Numbers | None:
        """The numbers of an initializer or a Constant, looking through Identity; else None."""
        from onnx import numpy_helper

        if value in self._held:
            return numpy_helper.to_array(self._held[value])
        node = self.producer(value)
        if node is None or node.op_type not in ("Constant", "Identity"):
            return None
        if node.op_type == "Identity":
            return self.constant(node.input[0])
        held = next((self.attribute(node, a.name) for a in node.attribute), None)
        if held is None or isinstance(held, bytes):
            return None
        tensor_like = hasattr(held, "data_type")
        return numpy_helper.to_array(held) if tensor_like else _plain(held)

    def scalar(self, value: str) -> float | None:
        """The one number that a constant holds; None where it is no such constant."""
        held = self.constant(value) if value else None
        return float(held.reshape(())) if held is not None and held.size == 1 else None

    # Choosing

    def one(self, candidates: Sequence[Thing]) -> list[Thing]:
        """One of them by the seed; none of none."""
        return self.some(candidates, 0.0)

    def some(self, candidates: Sequence[Thing], share: float) -> list[Thing]:
        """That share of them and at least one; what a smaller share takes, a larger takes too."""
        order = self.random.permutation(len(candidates))
        return [candidates[i] for i in order[: max(1, round(share * len(order)))]]

    # Cutting

    def put(self, node: NodeProto, index: int, array: Numbers) -> None:
        """Gives a node other numbers as one of its inputs. Whoever shared the old keeps them."""
        from onnx import helper, numpy_helper

        if np.array_equal(array, self.constant(node.input[index])):  # type: ignore[arg-type]
            return
        tensor = numpy_helper.from_array(np.ascontiguousarray(array), self.name(node.input[index]))
        self.graph.initializer.append(tensor)
        self._held[tensor.name] = tensor
        if self.model.ir_version < 4:  # then, every initializer was an input as well
            self.graph.input.append(
                helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
        old, node.input[index] = node.input[index], tensor.name
        self._forget(old)

    def leave_out(self, node: NodeProto, index: int) -> None:
        """Takes an optional input away from a node."""
        old, node.input[index] = node.input[index], ""
        self._forget(old)

    def set(self, node: NodeProto, name: str, value: Any) -> None:
        """Writes an attribute; None takes it away."""
        from onnx import helper

        kept = [a for a in node.attribute if a.name != name]
        del node.attribute[:]
        node.attribute.extend(kept)
        if value is not None:
            node.attribute.append(helper.make_attribute(name, value))

    def between(self, value: str) -> tuple[str, str]:
        """Opens a gap behind a value: (what the honest graph made, what its users now take)."""
        node, other = self.producer(value), self.name(value)
        if node is None:
            for user in self.users(value):
                self._rename(user.input, value, other)
            return value, other
        self._rename(node.output, value, other)
        self._makers = None
        return other, value

    def add(self, op: str, given: Sequence[str], made: str = "", **attributes: Any) -> str:
        """Adds a node and gives the name of what it makes."""
        from onnx import helper

        made = made or self.name(op.lower())
        self.graph.node.append(helper.make_node(op, given, [made], self.name(op), **attributes))
        self._added, self._makers = True, None
        return made

    def hold(self, array: Numbers) -> str:
        """The name of a new constant."""
        from onnx import numpy_helper

        made = self.name("held")
        return self.add("Constant", [], made, value=numpy_helper.from_array(np.asarray(array)))

    def number(self, value: float) -> str:
        """The name of a new float32 scalar."""
        return self.hold(np.array(value, np.float32))

    def whole(self, value: int | Sequence[int]) -> str:
        """The name of a new int64 constant."""
        return self.hold(np.array(value, np.int64))

    def drop(self, node: NodeProto) -> None:
        """Takes a node away; whoever calls this makes what it made."""
        self.graph.node.remove(node)
        self._makers = None

    def name(self, near: str) -> str:
        """A name that nothing in the graph has."""
        found = next(n for i in count(1) if (n := f"{near}_{i}") not in self._taken)
        self._taken.add(found)
        return found

    def finished(self) -> ModelProto | None:
        """The changed graph, its nodes in order.

        None where nothing was changed, or where the graph is too old for the nodes that were added.
        """
        if self._added and self.opset < _ADDED_SINCE:
            return None
        if self._added:
            ordered = _in_order(list(self.graph.node))
            del self.graph.node[:]
            self.graph.node.extend(ordered)
        changed = self.model.SerializeToString(deterministic=True) != self._start
        return self.model if changed else None

    @cached_property
    def _types(self) -> dict[str, tuple[int, Shape | None]]:
        from onnx import shape_inference

        inferred = shape_inference.infer_shapes(self._honest, data_prop=True).graph
        known: dict[str, tuple[int, Shape | None]] = {
            tensor.name: (tensor.data_type, tuple(tensor.dims)) for tensor in inferred.initializer
        }
        for value in (*inferred.value_info, *inferred.input, *inferred.output):
            tensor = value.type.tensor_type
            dims = tuple(_dim(dim) for dim in tensor.shape.dim)
            known[value.name] = (tensor.elem_type, dims if tensor.HasField("shape") else None)
        return known

    def _forget(self, value: str) -> None:
        """Takes an initializer away that nobody uses any more: runtimes warn of those."""
        used = {name for each in graphs(self.graph) for node in each.node for name in node.input}
        bound = {each.name for each in (*self.graph.input, *self.graph.output)}
        if value in self._held and value not in used | bound:
            self.graph.initializer.remove(self._held.pop(value))

    @staticmethod
    def _rename(names: Any, old: str, new: str) -> None:
        for index, name in enumerate(names):
            if name == old:
                names[index] = new


def _dim(dim: Any) -> Dim | None:
    return dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None


def _plain(held: Any) -> Numbers:
    whole = isinstance(held, int) or (isinstance(held, list) and isinstance(held[0], int))
    return np.asarray(held, np.int64 if whole else np.float32)


def _in_order(nodes: list[NodeProto]) -> list[NodeProto]:
    """Every node behind those whose values it takes, in its own right or in its bodies."""
    made = {name: node for node in nodes for name in node.output if name}
    ordered: list[NodeProto] = []
    seen: set[int] = set()
    pending = list(reversed(nodes))
    while pending:
        node = pending[-1]
        waiting = [] if id(node) in seen else _needed(node, made, seen)
        if waiting:
            pending.extend(reversed(waiting))
            continue
        pending.pop()
        if id(node) not in seen:
            seen.add(id(node))
            ordered.append(node)
    return ordered


def _needed(node: NodeProto, made: dict[str, NodeProto], seen: set[int]) -> list[NodeProto]:
    from deploy_targets.graph.walk import bodies

    taken = [*node.input]
    for body in bodies(node):
        taken += [name for each in graphs(body) for inner in each.node for name in inner.input]
    makers = [made[name] for name in taken if name in made]
    return [maker for maker in makers if id(maker) not in seen and maker is not node]
