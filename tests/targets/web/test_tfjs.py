"""TF.js: what is known before TensorFlow starts. With it: tests_tfjs/, by `make test-tfjs`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from deploy_targets.converters.tfjs_from_onnx import Converted
from deploy_targets.errors import UnsupportedModel
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Dialect, Graph, Prepared, Signature, TensorSpec
from deploy_targets.targets.web import tfjs
from deploy_targets.targets.web.runtimes import Order
from deploy_targets.workspace import Workspace

PLAIN = Signature((TensorSpec("x", "float32", (4,)),), (TensorSpec("y", "float32", (4,)),))


def prepared(signature: Signature) -> Prepared:
    graph = Graph(Dialect.ONNX, Path(), "0" * 64, "torch.onnx")
    return Prepared("model", signature, graph, RECIPES["fp32"])


def converted(*operators: str) -> Converted:
    return Converted({name: f"the/{name}" for name in operators}, {})


def test_operators_that_were_seen_right_are_taken() -> None:
    tfjs.refuse(converted("_FusedConv2D", "+BiasAdd", "+Relu6", "AddV2", "Placeholder"))


@pytest.mark.parametrize("operator", ["Einsum", "+HardSwish", "FFT", "While"])
def test_an_operator_without_a_kernel_is_refused_by_name_and_node(operator: str) -> None:
    with pytest.raises(UnsupportedModel, match=operator.lstrip("+")) as refused:
        tfjs.refuse(converted("AddV2", operator))
    assert f"node the/{operator}" in str(refused.value)
    assert "AddV2" not in str(refused.value)
    assert "onnxruntime-web" in refused.value.hint


def test_a_packed_model_says_where_its_weights_begin(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps({"format": "graph-model"}))
    (tmp_path / "weights.bin").write_bytes(b"\x01\x02\x03\x04")
    raw = tfjs.packed(tmp_path).read_bytes()
    size = int.from_bytes(raw[:8], "little")
    assert size % 8 == 0
    assert json.loads(raw[8 : 8 + size]) == {"format": "graph-model"}
    assert raw[8 + size :] == b"\x01\x02\x03\x04"


def test_a_datatype_that_tfjs_does_not_hold_is_known_beforehand() -> None:
    double = dataclasses.replace(PLAIN, outputs=(TensorSpec("y", "float64", (4,)),))
    assert tfjs.problems(prepared(double)) == ("y is float64, which TF.js cannot hold",)
    assert tfjs.problems(prepared(PLAIN)) == ()


def test_what_becomes_narrower_is_said() -> None:
    tokens = dataclasses.replace(PLAIN, inputs=(TensorSpec("x", "int64", (4,)),))
    assert tfjs._notes(prepared(tokens)) == ("x is int64 in the model and int32 in TF.js",)
    assert tfjs._entry(prepared(tokens)).inputs[0].spec.dtype == "int32"


def test_steps_that_are_a_graph_are_refused(tmp_path: Path) -> None:
    graphs = {"before-0": tmp_path / "before-0.onnx"}
    order = Order(prepared(PLAIN), graphs, False, tmp_path, Workspace(tmp_path / "workspace"))
    with pytest.raises(UnsupportedModel, match=r"TF\.js cannot run before-0\.onnx"):
        tfjs.write(order)
