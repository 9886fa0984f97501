"""Parts of graphs are run by ONNX Runtime and must give what the whole gives."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper

from deploy_targets.graph import cut, tap
from deploy_targets.integrations import onnx_runtime

from ..explaining.planting import deep, question


@pytest.fixture(scope="module")
def model() -> ModelProto:
    return deep(3)


def branching() -> ModelProto:
    """y = b + a or b - a, in branches that read both from outside; b = -a; a value nobody needs."""

    def branch(name: str, operator: str) -> onnx.GraphProto:
        node = helper.make_node(operator, ["b", "a"], [f"{name} out"])
        value = helper.make_tensor_value_info(f"{name} out", TensorProto.FLOAT, None)
        return helper.make_graph([node], name, [], [value])

    nodes = [
        helper.make_node("Neg", ["a"], ["b"], "neg"),
        helper.make_node("Add", ["a", "a"], ["unused"], "add"),
        helper.make_node("ReduceSum", ["a"], ["sum"], "sum", keepdims=0),
        helper.make_node("Cast", ["sum"], ["positive"], "cast", to=TensorProto.BOOL),
        helper.make_node(
            "If",
            ["positive"],
            ["y"],
            "if",
            then_branch=branch("then", "Add"),
            else_branch=branch("else", "Sub"),
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "branching",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def test_every_prefix_gives_what_the_whole_graph_has_there(model: ModelProto) -> None:
    whole = onnx_runtime.run(tap.tap(model, tap.values(model.graph)), question())
    for count in range(1, len(model.graph.node) + 1):
        found = onnx_runtime.run(cut.prefix(model, count), question())
        assert found
        for name, array in found.items():
            np.testing.assert_array_equal(array, whole[name])


def test_the_frontier_holds_everything_that_is_still_needed(model: ModelProto) -> None:
    # After the LeakyRelu of a block, its Add still needs what the block was given.
    assert cut.frontier(model.graph, 8) == ["b0.relu", "b1.leaky"]
    assert cut.frontier(model.graph, len(model.graph.node)) == ["y"]
    assert cut.frontier(model.graph, 0) == []


def test_what_a_branch_takes_from_outside_is_alive_and_what_nobody_reads_is_not() -> None:
    model = branching()
    assert cut.frontier(model.graph, 2) == ["b"]
    assert cut.frontier(model.graph, 4) == ["b", "positive"]
    assert cut.reads(model.graph.node[4]) == {"positive", "b", "a"}
    known = {"a": np.ones(2, np.float32), "b": np.full(2, 5, np.float32)}
    part = cut.between(model, known, "y")
    assert [node.name for node in part.graph.node] == ["sum", "cast", "if"]
    np.testing.assert_array_equal(onnx_runtime.run(part, known)["y"], [6, 6])


def test_one_step_can_be_run_on_values_that_are_given(model: ModelProto) -> None:
    given = {"b1.conv": np.random.default_rng(3).normal(size=(2, 8, 8, 8)).astype(np.float32)}
    part = cut.between(model, given, "b1.leaky")
    assert [node.name for node in part.graph.node] == ["b1.norm.node", "b1.leaky.node"]
    assert [value.name for value in part.graph.input] == ["b1.conv"]
    assert "b1.w" not in {tensor.name for tensor in part.graph.initializer}
    assert onnx_runtime.run(part, given)["b1.leaky"].shape == (2, 8, 8, 8)


def test_the_model_that_was_cut_is_as_it_was(model: ModelProto) -> None:
    before = model.SerializeToString(deterministic=True)
    cut.prefix(model, 5)
    tap.tap(model, ["b0.conv"])
    tap.measured(model, question())
    assert model.SerializeToString(deterministic=True) == before
