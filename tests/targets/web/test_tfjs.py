"""What TF.js is refused, held against the kernels of the backend that is shipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy_targets.converters.tfjs_from_onnx import Converted
from deploy_targets.errors import UnsupportedModel
from deploy_targets.integrations import npm
from deploy_targets.resources import resource
from deploy_targets.targets.web import tfjs
from deploy_targets.workspace import Workspace


@pytest.fixture(scope="module")
def sources() -> dict[str, Path]:
    lock, workspace = resource("web", "package-lock.json"), Workspace()
    found = {}
    for role in ("core", "backend"):
        package, file = tfjs.FILES[role]
        found[role] = npm.package(package, lock, workspace, [file]) / file
    return found


def converted(*operators: str) -> Converted:
    return Converted({name: f"the/{name}" for name in operators}, {})


def test_operators_that_the_backend_has_are_taken(sources: dict[str, Path]) -> None:
    tfjs.refuse(converted("_FusedConv2D", "+BiasAdd", "+Relu6", "AddV2", "Placeholder"), sources)


@pytest.mark.parametrize("operator", ["Einsum", "+HardSwish", "FFT"])
def test_an_operator_without_a_kernel_is_refused_by_name_and_node(
    sources: dict[str, Path], operator: str
) -> None:
    with pytest.raises(UnsupportedModel, match=operator.lstrip("+")) as refused:
        tfjs.refuse(converted("AddV2", operator), sources)
    assert f"node the/{operator}" in str(refused.value)
    assert "onnxruntime-web" in refused.value.hint


def test_a_packed_model_says_where_its_weights_begin(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(json.dumps({"format": "graph-model"}))
    (tmp_path / "weights.bin").write_bytes(b"\x01\x02\x03\x04")
    raw = tfjs._packed(tmp_path).read_bytes()
    size = int.from_bytes(raw[:8], "little")
    assert size % 8 == 0
    assert json.loads(raw[8 : 8 + size]) == {"format": "graph-model"}
    assert raw[8 + size :] == b"\x01\x02\x03\x04"
