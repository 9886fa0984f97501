"""ONNX files in an opset that ONNX Runtime does not have, and ones that it has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from deploy_targets import frontends
from deploy_targets.errors import UnsupportedModel
from deploy_targets.frontends import onnx_restated
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import Array, Tensors

OLD = (
    '<ir_version: 4, opset_import: ["": 6]> g (float[2,3] x) => (float[2,3] y) '
    "<float[3] b = {1, 2, 3}> { y = Add<broadcast = 1>(x, b) }"
)
X = np.ones((2, 3), np.float32)


def write(folder: Path, text: str) -> SourceSpec:
    onnx.save(onnx.parser.parse_model(text), folder / "model.onnx")
    return SourceSpec("model.onnx", folder)


def test_an_opset_that_onnx_runtime_lacks_is_restated_and_the_capture_says_so(
    tmp_path: Path,
) -> None:
    model = frontends.load(write(tmp_path, OLD))
    assert np.array_equal(model.run({"x": X})["y"], X + np.float32([1, 2, 3]))
    (capture,) = model.captures
    assert capture.how == "restated from opset 6 in opset 7"
    (tmp_path / "out").mkdir()
    model.capture(capture, tmp_path / "out")
    again = frontends.load(SourceSpec("out/model.onnx", tmp_path))
    assert again.captures[0].how == "as given"
    assert np.array_equal(again.run({"x": X})["y"], model.run({"x": X})["y"])


def test_an_ir_version_that_onnx_runtime_lacks_is_restated(tmp_path: Path) -> None:
    spec = write(tmp_path, OLD.replace("6]", "17]").replace("<broadcast = 1>", ""))
    given = onnx.load(tmp_path / "model.onnx")
    given.ir_version = 99
    onnx.save(given, tmp_path / "model.onnx")
    model = frontends.load(spec)
    assert model.captures[0].how == "restated from opset 17 in opset 17"
    assert np.array_equal(model.run({"x": X})["y"], X + np.float32([1, 2, 3]))


@pytest.mark.parametrize("answer", [None, {"y": X}, {"y": X[0]}, {"y": X * np.nan}])
def test_a_restated_graph_that_nothing_confirms_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Array] | None
) -> None:
    model = frontends.load(write(tmp_path, OLD))

    def evaluated(path: Path, outputs: object, inputs: Tensors) -> dict[str, Array] | None:
        return answer

    monkeypatch.setattr("deploy_targets.frontends.onnx.evaluated", evaluated)
    with pytest.raises(UnsupportedModel, match="restated from opset 6 in opset 7"):
        model.run({"x": X})


def test_a_graph_that_no_restating_helps_is_refused_in_few_words(tmp_path: Path) -> None:
    spec = write(
        tmp_path,
        '<ir_version: 8, opset_import: ["": 17, "own": 1]> '
        "g (float[3] x) => (float[3] y) { y = own.Unheard(x) }",
    )
    with pytest.raises(UnsupportedModel) as caught:
        frontends.load(spec)
    assert str(caught.value).endswith("own:Unheard(-1) is not a registered function/op")
    assert "onnxruntime_src" not in str(caught.value)


def test_weights_outside_of_the_file_are_not_restated(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    path = tmp_path / "model.onnx"
    assert onnx_restated.running(path, [path]).how != "as given"
    with pytest.raises(UnsupportedModel, match="ONNX Runtime cannot load"):
        onnx_restated.running(path, [path, tmp_path / "model.data"])


def test_bfloat16_at_the_boundary_is_refused_by_name(tmp_path: Path) -> None:
    spec = write(
        tmp_path,
        '<ir_version: 8, opset_import: ["": 17]> '
        "g (float[3] x) => (bfloat16[3] half) { half = Cast<to = 16>(x) }",
    )
    with pytest.raises(UnsupportedModel, match="half is bfloat16"):
        frontends.load(spec)
