"""One file, checked; two where one cannot hold the weights."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest

from deploy_targets.errors import ConversionFailed
from deploy_targets.graph.save import save
from deploy_targets.testing import zoo


def test_a_graph_is_one_file(tmp_path: Path) -> None:
    model = onnx.load(zoo.convnet(tmp_path / "a.onnx"))
    save(model, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"a.onnx", "model.onnx"}


def test_weights_too_large_for_one_file_get_a_second(tmp_path: Path) -> None:
    model = onnx.load(zoo.convnet(tmp_path / "a.onnx"))
    save(model, tmp_path, largest=1000)
    assert (tmp_path / "model.onnx.data").stat().st_size > 1000
    kept = onnx.load(tmp_path / "model.onnx").graph.initializer
    original = onnx.load(tmp_path / "a.onnx").graph.initializer
    assert {t.name: t.raw_data for t in kept} == {t.name: t.raw_data for t in original}


def test_an_invalid_graph_is_a_failed_conversion_and_leaves_no_file(tmp_path: Path) -> None:
    model = onnx.load(zoo.convnet(tmp_path / "a.onnx"))
    model.graph.node[1].output[0] = "c"
    with pytest.raises(ConversionFailed, match="invalid graph"):
        save(model, tmp_path)
    assert not (tmp_path / "model.onnx").exists()
