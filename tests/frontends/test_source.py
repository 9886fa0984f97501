"""What the user points at, and the many things that are no model."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy_targets import frontends
from deploy_targets.errors import ConfigError, DeployError, UnsupportedModel
from deploy_targets.frontends.source import Kind, SourceSpec, kind_of, name_of


def refusal(folder: Path, source: str) -> DeployError:
    with pytest.raises(DeployError) as caught:
        frontends.load(SourceSpec(source, folder))
    return caught.value


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("model.py:build", Kind.CALLABLE),
        ("C:\\my models\\model.py:build", Kind.CALLABLE),
        ("package.module:build", Kind.CALLABLE),
        ("a/b.pt2", Kind.EXPORTED),
        ("a/b.onnx", Kind.ONNX),
    ],
)
def test_four_forms_are_sources(source: str, kind: Kind) -> None:
    assert kind_of(SourceSpec(source)) is kind


def test_a_model_is_named_after_its_file_or_its_callable(tmp_path: Path) -> None:
    (tmp_path / "my model.py").touch()
    assert name_of(SourceSpec("my model.py:build", tmp_path)) == "my-model"
    assert name_of(SourceSpec("package.module:build")) == "build"
    assert name_of(SourceSpec("package.module:build", name="cat")) == "cat"


def test_a_directory_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "saved.onnx").mkdir()
    for source in (".", "saved.onnx"):
        error = refusal(tmp_path, source)
        assert error.exit_code == ConfigError.exit_code
        assert "directory" in str(error)


@pytest.mark.parametrize(
    "source", ["gone.onnx", "gone.pt2", "gone.pt", "gone.py:build", "gone.py", "gone.tflite"]
)
def test_a_missing_file_is_named(tmp_path: Path, source: str) -> None:
    error = refusal(tmp_path, source)
    assert error.exit_code == ConfigError.exit_code
    assert str(tmp_path / source.partition(":")[0]) in str(error)
    assert "does not exist" in str(error)


def test_a_file_without_a_callable_is_told_which_there_are(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("def build(): ...\nclass Net: ...\ndef _hidden(): ...\n")
    error = refusal(tmp_path, "model.py")
    assert error.hint == "write model.py:build; there are build, Net"


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt", ".safetensors"])
def test_weights_alone_are_no_model(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"weights{suffix}").write_bytes(b"x")
    error = refusal(tmp_path, f"weights{suffix}")
    assert error.exit_code == UnsupportedModel.exit_code
    assert "file.py:function" in error.hint


def test_other_formats_are_refused_with_what_is_taken(tmp_path: Path) -> None:
    (tmp_path / "model.caffemodel").write_bytes(b"x")
    error = refusal(tmp_path, "model.caffemodel")
    assert error.exit_code == UnsupportedModel.exit_code
    assert ".onnx" in error.hint


@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
@pytest.mark.parametrize(
    ("contents", "found"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "git-lfs pointer"),
        (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "an HTML or XML page"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(
    tmp_path: Path, suffix: str, contents: bytes, found: str
) -> None:
    (tmp_path / f"model{suffix}").write_bytes(contents)
    error = refusal(tmp_path, f"model{suffix}")
    assert error.exit_code == UnsupportedModel.exit_code
    assert found in str(error)
    assert error.hint


def test_a_zip_named_onnx_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.onnx", "w") as archive:
        archive.writestr("inside.onnx", "x")
    assert "zip archive" in str(refusal(tmp_path, "model.onnx"))


def test_a_damaged_onnx_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\xff\x00 not a protocol buffer")
    assert "no ONNX model" in str(refusal(tmp_path, "model.onnx"))


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        (["m/data.pkl", "m/code/a.py"], "TorchScript"),
        (["m/data.pkl", "m/data/0"], "torch.save"),
    ],
)
def test_other_files_of_pytorch_are_not_taken_for_exported_programs(
    tmp_path: Path, inside: list[str], found: str
) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt2", "w") as archive:
        for name in inside:
            archive.writestr(name, "x")
    error = refusal(tmp_path, "model.pt2")
    assert error.exit_code == UnsupportedModel.exit_code
    assert found in str(error)


def test_depends_that_match_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'weights/\*.pt' matches no file"):
        frontends.source.depended_on(SourceSpec("x.onnx", tmp_path, depends=("weights/*.pt",)))


def test_importing_the_room_imports_no_framework() -> None:
    code = (
        "import deploy_targets.frontends, sys;"
        "print(sorted({'torch', 'onnx', 'onnxruntime', 'pydantic'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
