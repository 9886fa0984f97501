"""TensorFlow -> ONNX: names, axes and answers, and what tf2onnx cannot carry."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from deploy_targets import frontends, pipeline, registry
from deploy_targets.converters import onnx_from_tensorflow
from deploy_targets.errors import ConversionFailed, ToolMissing, UnsupportedModel
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.frontends.tensorflow import AS_ONNX, TensorFlowModel
from deploy_targets.frontends.tensorflow_canonical import raw
from deploy_targets.frontends.tensorflow_quiet import tensorflow
from deploy_targets.integrations import onnx_runtime
from deploy_targets.pipeline import Job
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace
from tests.frontends import tensorflow_models as models

DRAW = np.random.default_rng(0)


def loaded(source: str, folder: Path) -> TensorFlowModel:
    model = frontends.load(SourceSpec(source, folder))
    assert isinstance(model, TensorFlowModel)
    return model


def exported(model: TensorFlowModel, folder: Path) -> onnx.ModelProto:
    """What the child does, in this process, where TensorFlow is imported already."""
    folder.mkdir(exist_ok=True)
    (folder / "graph.pb").write_bytes(raw(model.frozen.graph))
    onnx_from_tensorflow.export(
        str(folder / "graph.pb"),
        list(model.frozen.inputs),
        list(model.frozen.outputs),
        onnx_from_tensorflow._adapter().dump_python(model.signature, mode="json"),
        str(folder),
    )
    return onnx.load(folder / "model.onnx")


def test_an_lstm_keeps_its_names_its_axes_and_its_answers_at_every_size(tmp_path: Path) -> None:
    models.save(models.mixed(), tmp_path / "mixed.keras")
    model = loaded("mixed.keras", tmp_path)
    graph = exported(model, tmp_path / "one")
    assert [value.name for value in graph.graph.input] == ["still", "moving"]
    assert [value.name for value in graph.graph.output] == ["how_much", "what"]
    dims = [d.dim_param or d.dim_value for d in graph.graph.input[1].type.tensor_type.shape.dim]
    assert dims == ["batch", "moving_dim_1", 3]
    for batch, time in ((1, 1), (3, 7), (8, 2)):
        inputs = {
            "still": DRAW.normal(size=(batch, 4)).astype(np.float32),
            "moving": DRAW.normal(size=(batch, time, 3)).astype(np.float32),
        }
        got, want = onnx_runtime.run(graph, inputs), model.run(inputs)
        for name, answer in want.items():
            assert got[name].dtype == np.float32
            np.testing.assert_allclose(got[name], answer, rtol=1e-5, atol=1e-6)
    assert str(tmp_path).encode() not in (tmp_path / "one" / "model.onnx").read_bytes()


def test_basic_pitch_becomes_onnx_in_a_process_of_its_own(tmp_path: Path) -> None:
    model = loaded("nmp", models.pitch())
    model.capture(AS_ONNX, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"model.onnx", "export.log"}
    graph = onnx.load(tmp_path / "model.onnx")
    sound = {"input_2": DRAW.normal(size=(2, 43844, 1)).astype(np.float32)}
    got, want = onnx_runtime.run(graph, sound), model.run(sound)
    for name, answer in want.items():
        off = np.linalg.norm(got[name] - answer) / np.linalg.norm(answer)
        assert off < 1e-4, name


def test_an_operation_that_onnx_does_not_have_is_refused_by_its_name(tmp_path: Path) -> None:
    tf = tensorflow()
    rows = tf.TensorSpec([None, 4], tf.float32)
    models.module(
        tmp_path / "odd",
        serving_default=(lambda f, x: {"y": tf.math.betainc(f, f, tf.sigmoid(x))}, rows),
    )
    with pytest.raises(UnsupportedModel, match="tf2onnx cannot carry Betainc"):
        exported(loaded("odd", tmp_path), tmp_path / "onnx")


def test_without_tf2onnx_it_is_missing_and_no_model_is_blamed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tf = tensorflow()
    rows = tf.TensorSpec([None, 4], tf.float32)
    models.module(tmp_path / "fine", serving_default=(lambda f, x: {"y": f * x}, rows))
    model = loaded("fine", tmp_path)
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(ToolMissing, match="tf2onnx") as caught:
        exported(model, tmp_path / "onnx")
    assert caught.value.hint == "pip install 'deploy-targets[tensorflow]'"


def test_a_conversion_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    tf = tensorflow()
    rows = tf.TensorSpec([None, 4], tf.float32)
    models.module(tmp_path / "slow", serving_default=(lambda f, x: {"y": f * x}, rows))
    model = loaded("slow", tmp_path)
    with pytest.raises(ConversionFailed, match=r"tf2onnx took longer than 0\.2 s"):
        onnx_from_tensorflow.capture(model.frozen, model.signature, tmp_path, timeout=0.2)
    assert not (tmp_path / "graph.pb").exists()


def test_a_keras_model_passes_in_lambdas_own_runtime(tmp_path: Path) -> None:
    models.save(models.photos(), tmp_path / "photos.keras")
    spec = SourceSpec("photos.keras", tmp_path)
    job = Job(spec, registry.load("lambda", {"flavor": "lean"}), tmp_path / "out")
    outcome = pipeline.build(job, Workspace(), reuse=False)
    assert outcome.verdict is Verdict.PASS, outcome.report.rows[0].reason
    assert outcome.bundle.manifest.capture == "onnx by tf2onnx"
    assert "every operand moved by an ulp at random" in outcome.bundle.manifest.bounds_from
