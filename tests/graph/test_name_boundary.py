"""Names of inputs and outputs, on graphs made by hand."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper

from deploy_targets.errors import ConversionFailed
from deploy_targets.graph.name_boundary import name_boundary
from deploy_targets.records import TensorSpec


def graph(text: str) -> onnx.ModelProto:
    return onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> {text}')


def run(model: onnx.ModelProto, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    onnx.checker.check_model(model)
    session = ort.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


def spec(name: str, *shape: int | str) -> TensorSpec:
    return TensorSpec(name, "float32", shape)


X = np.array([[1.0, -2.0]], np.float32)


def test_an_output_may_take_the_name_of_an_internal_value() -> None:
    model = graph("g (float[N,2] a) => (float[N,2] z) { embedding = Neg(a) z = Relu(embedding) }")
    name_boundary(model, [spec("x", "batch", 2)], [spec("embedding", "batch", 2)])
    assert run(model, x=X)["embedding"].tolist() == [[0.0, 2.0]]


def test_inputs_and_outputs_may_exchange_names() -> None:
    model = graph("g (float[N,2] a) => (float[N,2] b) { b = Neg(a) }")
    name_boundary(model, [spec("b", "batch", 2)], [spec("a", "batch", 2)])
    assert run(model, b=X)["a"].tolist() == [[-1.0, 2.0]]


def test_an_input_handed_out_and_a_value_handed_out_twice_are_copied() -> None:
    model = graph("g (float[N,2] a) => (float[N,2] a, float[N,2] b) { b = Neg(a) }")
    model.graph.output.append(model.graph.output[1])
    specs = [spec(name, "batch", 2) for name in ("same", "first", "second")]
    name_boundary(model, [spec("x", "batch", 2)], specs)
    found = run(model, x=X)
    assert list(found) == ["same", "first", "second"]
    assert found["same"].tolist() == X.tolist()
    assert found["first"].tolist() == found["second"].tolist() == [[-1.0, 2.0]]


def test_bodies_of_branches_follow_the_new_names() -> None:
    body = helper.make_graph(
        [helper.make_node("Neg", ["a"], ["x"])],
        "body",
        [],
        [helper.make_tensor_value_info("x", 1, None)],
    )
    other = helper.make_graph(
        [helper.make_node("Identity", ["a"], ["w"])],
        "other",
        [],
        [helper.make_tensor_value_info("w", 1, None)],
    )
    branch = helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=other)
    model = helper.make_model(
        helper.make_graph(
            [branch],
            "g",
            [
                helper.make_tensor_value_info("a", 1, ["N", 2]),
                helper.make_tensor_value_info("c", onnx.TensorProto.BOOL, []),
            ],
            [helper.make_tensor_value_info("y", 1, ["N", 2])],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    name_boundary(
        model, [spec("x", "batch", 2), TensorSpec("c", "bool", ())], [spec("w", "batch", 2)]
    )
    assert run(model, x=X, c=np.array(True))["w"].tolist() == [[-1.0, 2.0]]
    assert run(model, x=X, c=np.array(False))["w"].tolist() == X.tolist()


def test_dynamic_axes_bear_their_declared_names() -> None:
    model = graph("g (float[s77,2] a) => (float[s77,2] b) { b = Neg(a) }")
    name_boundary(model, [spec("x", "batch", 2)], [spec("y", "batch", 2)])
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"


def test_a_graph_that_lost_an_output_is_refused() -> None:
    model = graph("g (float[N,2] a) => (float[N,2] b) { b = Neg(a) }")
    with pytest.raises(ConversionFailed, match="1 outputs, the model 2"):
        name_boundary(model, [spec("x", "batch", 2)], [spec("y", 2), spec("z", 2)])
