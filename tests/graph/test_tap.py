"""All values of a graph as outputs, and what they would weigh."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper

from deploy_targets.graph import tap
from deploy_targets.integrations import onnx_runtime

from ..explaining.planting import deep, question


def test_the_answers_are_the_same_bits_with_everything_in_sight() -> None:
    model = deep(4)
    whole = onnx_runtime.run(tap.tap(model, tap.values(model.graph)), question())
    assert len(whole) == len(model.graph.node)
    np.testing.assert_array_equal(whole["y"], onnx_runtime.run(model, question())["y"])


@pytest.mark.parametrize("rows", [1, 5])
def test_shapes_are_told_beforehand_as_they_turn_out(rows: int) -> None:
    model = deep(2)
    told = tap.measured(model, question(rows))
    whole = onnx_runtime.run(tap.tap(model, list(told)), question(rows))
    assert told == {name: array.shape for name, array in whole.items()}


def odd() -> ModelProto:
    """A graph with a sequence, a bfloat16 and a shape that depends on values in it."""
    nodes = [
        helper.make_node("SequenceConstruct", ["x", "x"], ["list"]),
        helper.make_node("ConcatFromSequence", ["list"], ["joined"], axis=0),
        helper.make_node("Cast", ["joined"], ["short"], to=TensorProto.BFLOAT16),
        helper.make_node("Cast", ["short"], ["long"], to=TensorProto.FLOAT),
        helper.make_node("NonZero", ["long"], ["places"]),
        helper.make_node("Identity", ["places"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "odd",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])],
        [helper.make_tensor_value_info("y", TensorProto.INT64, None)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def test_what_cannot_be_shown_is_left_out_and_what_depends_on_values_has_no_shape() -> None:
    feeds = {"x": np.array([1, 0, 2], np.float32)}
    told = tap.measured(odd(), feeds)
    assert list(told) == ["joined", "long", "places", "y"]
    assert told["places"] is None
    whole = onnx_runtime.run(tap.tap(odd(), list(told)), feeds)
    np.testing.assert_array_equal(whole["y"], [[0, 2, 3, 5]])


def test_values_go_together_as_long_as_they_fit() -> None:
    shapes = {"a": (10,), "b": (10,), "c": None, "d": (100,), "e": (1,), "f": (1,)}
    assert list(tap.chunks(shapes, 80)) == [["a", "b"], ["c"], ["d"], ["e", "f"]]
    assert list(tap.chunks(shapes, 10**6)) == [list(shapes)]
    assert list(tap.chunks({}, 80)) == []
