"""A graph in ONNX while it is being written: inputs, nodes, constants, and the model at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_targets.errors import UnsupportedModel
from deploy_targets.graph import walk
from deploy_targets.records import Array, TensorSpec

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto

OPSET, IR = 20, 10


class Sketch:
    """Values are names. What goes in is called `<name>.given`, for what comes out may be called
    the same."""

    def __init__(self) -> None:
        self._inputs: list[ValueInfoProto] = []
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []
        self._made = 0

    def input(self, spec: TensorSpec) -> str:
        """Declares what goes in; returns its value."""
        self._inputs.append(_declared(f"{spec.name}.given", spec))
        return f"{spec.name}.given"

    def constant(self, array: Array | float | int) -> str:
        """A constant's value; Python numbers become float32 and int64."""
        from onnx import numpy_helper

        kinds = {float: np.float32, int: np.int64}
        plain = np.asarray(array, kinds.get(type(array)))
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(plain, name))
        return name

    def add(self, op: str, *inputs: str | Array | float | int, **attributes: Any) -> str:
        """One node of one output; arrays and numbers among the inputs become constants."""
        return self.several(op, 1, *inputs, **attributes)[0]

    def several(
        self, op: str, count: int, *inputs: str | Array | float | int, **attributes: Any
    ) -> list[str]:
        """One node of `count` outputs. An input that is left out is ""."""
        from onnx import helper

        names = [value if isinstance(value, str) else self.constant(value) for value in inputs]
        number = self._made
        self._made += 1
        outputs = [f"{op.lower()}_{number}" + (f"_{i}" if i else "") for i in range(count)]
        self._nodes.append(helper.make_node(op, names, outputs, f"{op}_{number}", **attributes))
        return outputs

    def cast(self, value: str, dtype: str) -> str:
        """The value as another dtype, by numpy's name."""
        from onnx import helper

        return self.add("Cast", value, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))

    def choose(
        self, condition: str, then: Callable[[], str], other: Callable[[], str], dtype: str
    ) -> str:
        """The value that `then` or `other` adds, of `dtype`; only the one chosen is computed."""
        branches = {"then_branch": self._branch(then, dtype)}
        branches["else_branch"] = self._branch(other, dtype)
        return self.add("If", condition, **branches)

    def _branch(self, make: Callable[[], str], dtype: str) -> GraphProto:
        from onnx import helper

        outside, self._nodes = self._nodes, []
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        given = helper.make_tensor_value_info(make(), kind, None)
        inside, self._nodes = self._nodes, outside
        # Constants, and what was made before, are seen from inside.
        return helper.make_graph(inside, given.name, [], [given])

    def graft(self, model: ModelProto, value: str) -> str:
        """Another model's nodes, with the value as its only input; returns its only output.

        Raises UnsupportedModel where it speaks another version of ONNX, or another language.
        """
        from onnx import compose, helper, inliner

        inlined = inliner.inline_local_functions(model)
        used = {node.domain for each in walk.graphs(inlined.graph) for node in each.node}
        spoken = {each.domain: each.version for each in inlined.opset_import}
        if {domain: spoken.get(domain) for domain in used | {""}} != {"": OPSET}:
            raise UnsupportedModel(
                f"the graph uses {spoken}; expected the operators of ONNX {OPSET} alone",
                hint="write the module with operations that ONNX has",
            )
        graph = compose.add_prefix(inlined, f"graft_{self._made}/").graph
        self._made += 1
        self._nodes.append(helper.make_node("Identity", [value], [graph.input[0].name]))
        self._nodes += graph.node
        self._constants += graph.initializer
        return str(graph.output[0].name)

    def model(self, outputs: Mapping[str, TensorSpec]) -> ModelProto:
        """The finished, checked model: value -> the tensor that it is given out as."""
        from onnx import checker, helper

        # A node of its own for each, since one value may be given out twice, or be an input.
        nodes = [
            helper.make_node("Identity", [value], [spec.name], f"give_{spec.name}")
            for value, spec in outputs.items()
        ]
        graph = helper.make_graph(
            [*self._nodes, *nodes],
            "stages",
            self._inputs,
            [_declared(spec.name, spec) for spec in outputs.values()],
            self._constants,
        )
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR
        )
        checker.check_model(made, full_check=True)
        return made


def _declared(name: str, spec: TensorSpec) -> ValueInfoProto:
    from onnx import helper

    dtype = helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
    return helper.make_tensor_value_info(name, dtype, list(spec.shape))
