"""Graphs for older runtimes: lowered where that can be, refused by name where it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from deploy_targets.errors import UnsupportedModel
from deploy_targets.graph.lower import lower
from deploy_targets.testing import zoo


def one(operator: str, opset: int, ir: int = 8, **attributes: object) -> onnx.ModelProto:
    """x f32[2,4] -> y, by one node."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(operator, ["x"], ["y"], "the_node", **attributes)],
        "one",
        [value("x", TensorProto.FLOAT, [2, 4])],
        [value("y", TensorProto.FLOAT, None)],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir)
    return made


def test_a_model_that_is_old_enough_stays_as_it_is(tmp_path: Path) -> None:
    model = onnx.load(zoo.convnet(tmp_path / "convnet.onnx"))
    found = lower(model, 17, 8, "JetPack 6")
    assert found.model is model
    assert found.how == ""


def test_a_lowered_model_answers_as_before(tmp_path: Path) -> None:
    model = onnx.load(zoo.convnet(tmp_path / "convnet.onnx"))
    found = lower(model, 13, 7, "JetPack 4")
    assert (found.model.opset_import[0].version, found.model.ir_version) == (13, 7)
    image = {"image": np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)}
    before, after = (
        onnxruntime.InferenceSession(each.SerializeToString()).run(None, image)
        for each in (model, found.model)
    )
    for want, got in zip(before, after, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


def test_an_operator_that_is_too_new_is_named_with_its_node() -> None:
    with pytest.raises(UnsupportedModel, match=r"opset 13, .*: Trilu \(the_node\)") as no:
        lower(one("Trilu", 14), 13, 7, "JetPack 4")
    assert "newer system" in no.value.hint


def test_an_attribute_that_is_too_new_is_no_mere_change_of_label() -> None:
    # Shape has `start` since 15; under 13 the node would be no valid ONNX.
    with pytest.raises(UnsupportedModel, match="JetPack 4"):
        lower(one("Shape", 15, start=1), 13, 7, "JetPack 4")
