"""The model, as it lies in the function's zip."""

from __future__ import annotations

from pathlib import Path

import onnx

from deploy_targets.targets.aws_lambda import archive, function
from deploy_targets.testing import zoo


def test_the_graph_of_a_bundle_comes_out_of_its_zip(tmp_path: Path) -> None:
    model = zoo.convnet(tmp_path / "m.onnx")
    archive.write_zip({"model.onnx": model, "app.py": Path(__file__)}, tmp_path / function.ZIP)
    folder = tmp_path / "unpacked"
    folder.mkdir()
    found = function.graph(tmp_path, folder)
    assert found == folder / "model.onnx"
    assert onnx.load(found) == onnx.load(model)
