"""The same graph in another opset: what is tried, in which order, and that it is the same."""

from __future__ import annotations

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from deploy_targets.graph.restate import opset_of, restatements


def model(opset: int, text: str, domains: str = "") -> onnx.ModelProto:
    head = f'<ir_version: 10, opset_import: ["": {opset}{domains}]>'
    return onnx.parser.parse_model(f"{head} g {text}")


def test_the_least_change_comes_first() -> None:
    newest = onnx.defs.onnx_opset_version()
    made = model(newest, "(float[2,3] x) => (float[2,3] y) { y = Relu(x) }")
    made.ir_version = 99
    first, second = list(restatements(made))[:2]
    assert (first.how, opset_of(first.model)) == (f"opset {newest}", newest)
    assert first.model.ir_version == onnx.helper.find_min_ir_version_for(made.opset_import)
    assert (second.how, opset_of(second.model)) == (f"opset {newest - 1}", newest - 1)
    assert made.ir_version == 99, "the model given is left as it was"


def test_an_opset_before_broadcasting_goes_up_and_answers_the_same() -> None:
    old = model(6, "(float[2,3] x, float[3] b) => (float[2,3] y) { y = Add<broadcast = 1>(x, b) }")
    restated = next(restatements(old))
    assert restated.how == "opset 7"
    x, b = np.ones((2, 3), np.float32), np.arange(3, dtype=np.float32)
    (y,) = ReferenceEvaluator(restated.model).run(None, {"x": x, "b": b})
    assert np.array_equal(y, x + b)


def test_an_operator_that_is_newer_than_the_opset_is_written_out() -> None:
    gelu = model(20, "(float[4] x) => (float[4] y) { y = Gelu(x) }")
    ways = {restated.how: restated.model for restated in restatements(gelu)}
    assert "opset 19" not in ways, "the converter knows no older Gelu"
    written = ways["opset 19, Gelu written out"]
    assert "Gelu" not in {node.op_type for node in written.graph.node}
    x = np.linspace(-2, 2, 4, dtype=np.float32)
    (want,) = ReferenceEvaluator(gelu).run(None, {"x": x})
    (got,) = ReferenceEvaluator(written).run(None, {"x": x})
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_there_is_nothing_to_restate_without_operators_of_the_standard() -> None:
    own = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["com.microsoft": 1]> '
        "g (float[3] x) => (float[3] y) { y = com.microsoft.QuickGelu(x) }"
    )
    assert list(restatements(own)) == []
