"""ONNX files: their reference, their signature, and what is wrong with some."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from deploy_targets import frontends
from deploy_targets.errors import ConfigError, ConversionFailed, DeployError
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import Capture, Dialect, DynamicAxis, TensorSpec
from deploy_targets.testing import zoo


def write(path: Path, text: str) -> SourceSpec:
    model = onnx.parser.parse_model(f'<ir_version: 8, opset_import: ["": 17]> {text}')
    onnx.save(model, path / "model.onnx")
    return SourceSpec("model.onnx", path)


def refusal(spec: SourceSpec) -> DeployError:
    with pytest.raises(DeployError) as caught:
        frontends.load(spec)
    return caught.value


def test_the_file_tells_its_own_signature(tmp_path: Path) -> None:
    zoo.convnet(tmp_path / "net.onnx")
    model = frontends.load(SourceSpec("net.onnx", tmp_path))
    assert model.name == "net"
    assert model.signature.inputs == (TensorSpec("image", "float32", ("B", 3, 8, 8)),)
    assert [spec.shape for spec in model.signature.outputs] == [("B", 5), ("B", 8, 8, 8)]
    assert model.signature.batch == "B"


def test_integers_and_a_flattened_batch(tmp_path: Path) -> None:
    zoo.tokens(tmp_path / "t.onnx")
    model = frontends.load(SourceSpec("t.onnx", tmp_path))
    assert model.signature.outputs == (TensorSpec("scores", "float32", ("B*4",)),)
    assert model.run({"ids": np.ones((3, 4), np.int64)})["scores"].shape == (12,)


def test_axes_without_a_name_get_one_and_weights_among_the_inputs_are_none(tmp_path: Path) -> None:
    spec = write(
        tmp_path, "g (float[?,3] x) => (float[?,3] y) <float[3] w = {1, 2, 3}> { y = Add(x, w) }"
    )
    model = onnx.load(tmp_path / "model.onnx")
    model.graph.input.append(onnx.helper.make_tensor_value_info("w", 1, [3]))
    onnx.save(model, tmp_path / "model.onnx")
    signature = frontends.load(spec).signature
    assert signature.inputs == (TensorSpec("x", "float32", ("x_dim_0", 3)),)
    assert signature.outputs[0].shape == ("x_dim_0", 3)
    assert signature.axes == (DynamicAxis("x_dim_0", 1, 8),)


def test_declared_axes_name_and_pin_what_the_file_leaves_open(tmp_path: Path) -> None:
    spec = write(tmp_path, "g (float[N,T] x) => (float[N,T] y) { y = Relu(x) }")
    named = SourceSpec(
        spec.source,
        spec.base,
        inputs=(TensorSpec("x", "float32", ("batch", 7)),),
        axes=(DynamicAxis("batch", 1, 4),),
        outputs=(("y", "embedding"),),
    )
    signature = frontends.load(named).signature
    assert signature.inputs[0].shape == ("batch", 7)
    assert signature.axes == (DynamicAxis("batch", 1, 4),)
    assert signature.outputs == (TensorSpec("y", "float32", ("batch", 7), "embedding"),)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (TensorSpec("z", "float32", ("N", 3)), "declares input 'z'"),
        (TensorSpec("x", "float32", ("N", 4)), "float32[N, 4] in deploy.toml, float32[N, 3] in"),
        (TensorSpec("x", "int64", ("N", 3)), "int64[N, 3] in deploy.toml"),
    ],
)
def test_a_declaration_that_contradicts_the_file_is_refused(
    tmp_path: Path, declared: TensorSpec, said: str
) -> None:
    spec = write(tmp_path, "g (float[N,3] x) => (float[N,3] y) { y = Relu(x) }")
    error = refusal(SourceSpec(spec.source, spec.base, inputs=(declared,)))
    assert error.exit_code == ConfigError.exit_code
    assert said in str(error)


def test_strings_and_sequences_are_refused_by_name(tmp_path: Path) -> None:
    strings = write(tmp_path, "g (string[N] words) => (string[N] y) { y = Identity(words) }")
    assert "words is str" in str(refusal(strings))
    sequence = write(
        tmp_path, "g (float[N] x) => (seq(float[N]) parts) { parts = SequenceConstruct(x) }"
    )
    assert "parts is a sequence" in str(refusal(sequence))


def test_sizes_that_the_model_does_not_take_ask_for_a_range(tmp_path: Path) -> None:
    spec = write(
        tmp_path,
        "g (float[N] x) => (float[4,?] y) <int64[2] s = {4, -1}> { y = Reshape(x, s) }",
    )
    error = refusal(spec)
    assert error.exit_code == ConfigError.exit_code
    assert "x [2]" in str(error)
    assert "[axes] N = [1, 8]" in error.hint


def test_weights_kept_in_a_file_that_is_gone_are_named(tmp_path: Path) -> None:
    model = onnx.load(zoo.convnet(tmp_path / "net.onnx"))
    onnx.save_model(
        model,
        tmp_path / "net.onnx",
        save_as_external_data=True,
        location="net.data",
        size_threshold=0,
    )
    spec = SourceSpec("net.onnx", tmp_path)
    before = frontends.load(spec)
    assert frontends.load(spec).digest == before.digest
    (tmp_path / "net.data").rename(tmp_path / "other.data")
    error = refusal(spec)
    assert error.exit_code == 3
    assert "net.data" in str(error)


def test_the_reference_evaluator_is_a_second_opinion(tmp_path: Path) -> None:
    zoo.convnet(tmp_path / "net.onnx")
    model = frontends.load(SourceSpec("net.onnx", tmp_path))
    inputs = {"image": np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)}
    other = model.second_opinion(inputs)
    assert other is not None
    for name, array in model.run(inputs).items():
        np.testing.assert_allclose(other[name], array, rtol=1e-4, atol=1e-4)


def test_there_is_no_second_opinion_on_operators_of_onnx_runtimes_own(tmp_path: Path) -> None:
    model = onnx.parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17, "com.microsoft": 1]> '
        "g (float[N,3] x) => (float[N,3] y) { y = com.microsoft.QuickGelu(x) }"
    )
    onnx.save(model, tmp_path / "model.onnx")
    loaded = frontends.load(SourceSpec("model.onnx", tmp_path))
    inputs = {"x": np.ones((1, 3), np.float32)}
    assert loaded.run(inputs)["y"].shape == (1, 3)
    assert loaded.second_opinion(inputs) is None


def test_a_capture_is_the_graph_without_notes_and_in_one_file(tmp_path: Path) -> None:
    model = onnx.load(zoo.convnet(tmp_path / "net.onnx"))
    model.doc_string = "/home/someone/net"
    onnx.save_model(
        model,
        tmp_path / "net.onnx",
        save_as_external_data=True,
        location="net.data",
        size_threshold=0,
    )
    loaded = frontends.load(SourceSpec("net.onnx", tmp_path))
    (tmp_path / "out").mkdir()
    loaded.capture(loaded.captures[0], tmp_path / "out")
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["model.onnx"]
    assert b"someone" not in (tmp_path / "out" / "model.onnx").read_bytes()
    again = frontends.load(SourceSpec("out/model.onnx", tmp_path))
    inputs = {"image": np.ones((1, 3, 8, 8), np.float32)}
    assert np.array_equal(again.run(inputs)["logits"], loaded.run(inputs)["logits"])
    with pytest.raises(DeployError, match="cannot become exported"):
        loaded.capture(Capture(Dialect.EXPORTED, "torch.export"), tmp_path)


def test_a_file_that_changes_while_it_is_built_is_not_captured(tmp_path: Path) -> None:
    path = zoo.convnet(tmp_path / "m.onnx")
    model = frontends.load(SourceSpec(str(path)))
    zoo.tokens(path)
    with pytest.raises(ConversionFailed, match="changed while it was being built"):
        model.capture(model.captures[0], tmp_path)
    assert not (tmp_path / "model.onnx").exists()
