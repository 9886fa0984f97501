"""An operator written out by the standard's own definition answers as the operator does."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from deploy_targets.graph.write_out import DOMAIN, write_out


def model(text: str) -> onnx.ModelProto:
    return onnx.parser.parse_model(f'<ir_version: 10, opset_import: ["": 21]> g {text}')


CASES = {
    "an attribute left to its default": ("(float[4] x) => (float[4] y) { y = Gelu(x) }", "Gelu"),
    "an attribute that is given": (
        '(float[4] x) => (float[4] y) { y = Gelu<approximate = "tanh">(x) }',
        "Gelu",
    ),
    "an optional input that is left out": (
        "(float[4] x) => (float[4] y) <float high = {0.5}> { y = Clip(x, , high) }",
        "Clip",
    ),
    "twice, and another operator between": (
        "(float[4] x) => (float[4] y) { a = Gelu(x) b = Neg(a) y = Gelu(b) }",
        "Gelu",
    ),
}


@pytest.mark.parametrize(("text", "operator"), CASES.values(), ids=CASES)
def test_what_is_written_out_answers_the_same(text: str, operator: str) -> None:
    given = model(text)
    written = write_out(given, {("", operator)})
    assert operator not in {node.op_type for node in written.graph.node}
    assert operator in {node.op_type for node in given.graph.node}, "the model given is left alone"
    assert DOMAIN not in {entry.domain for entry in written.opset_import}
    assert not written.functions
    onnx.checker.check_model(written, full_check=True)
    x = np.linspace(-2, 2, 4, dtype=np.float32)
    (want,) = ReferenceEvaluator(given).run(None, {"x": x})
    (got,) = ReferenceEvaluator(written).run(None, {"x": x})
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-7)
