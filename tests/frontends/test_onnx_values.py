"""What a file says of its outputs, where made-up inputs cannot be tried or are not typical."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from deploy_targets import frontends
from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import TensorSpec


def write(folder: Path, text: str) -> SourceSpec:
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> g {text}')
    onnx.save(model, folder / "model.onnx")
    return SourceSpec("model.onnx", folder)


def test_a_model_that_takes_no_made_up_inputs_is_as_its_file_says(tmp_path: Path) -> None:
    spec = write(
        tmp_path, "(float[2,3] x, int64[2] shape) => (float[3,rows] y) { y = Reshape(x, shape) }"
    )
    model = frontends.load(spec)
    assert model.signature.outputs == (TensorSpec("y", "float32", (3, "rows")),)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert model.run({"x": x, "shape": np.array([3, 2])})["y"].shape == (3, 2)


def test_a_size_that_depends_on_values_is_no_number(tmp_path: Path) -> None:
    spec = write(
        tmp_path, "(float[2,3] x, int64[2] times) => (float[4,3] y) { y = Tile(x, times) }"
    )
    assert frontends.load(spec).signature.outputs[0].shape == ("y_dim_0", 3)


def test_a_file_that_says_nothing_of_a_shape_is_asked_to(tmp_path: Path) -> None:
    spec = write(
        tmp_path, "(float[2,3] x, int64[2] shape) => (float[2] y) { y = Reshape(x, shape) }"
    )
    model = onnx.load(tmp_path / "model.onnx")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(ConfigError, match=r"fails on x \[2, 3\], shape \[2\]"):
        frontends.load(spec)


def test_two_outputs_of_one_name_are_refused(tmp_path: Path) -> None:
    spec = write(tmp_path, "(float[2] x) => (float[2] y, float[2] y) { y = Relu(x) }")
    with pytest.raises(UnsupportedModel, match="two outputs are named y"):
        frontends.load(spec)


def test_outputs_keep_the_names_of_the_file(tmp_path: Path) -> None:
    spec = write(tmp_path, "(float[2] x) => (float[2] y) { y = Relu(x) }")
    with pytest.raises(ConfigError, match="declares logits; the file names them y"):
        frontends.load(replace(spec, outputs=(("logits", "classifier"),)))


def test_names_of_any_kind_are_kept(tmp_path: Path) -> None:
    spec = write(tmp_path, "(float[2] x) => (float[2] y) { y = Relu(x) }")
    model = onnx.load(tmp_path / "model.onnx")
    model.graph.input[0].name = model.graph.node[0].input[0] = "serving/x y é"
    model.graph.output[0].name = model.graph.node[0].output[0] = "out:0"
    onnx.save(model, tmp_path / "model.onnx")
    answer = frontends.load(spec).run({"serving/x y é": np.array([-1, 1], np.float32)})
    assert answer["out:0"].tolist() == [0, 1]
