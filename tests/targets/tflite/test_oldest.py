"""What a file says of the runtime that it needs, and what the old runtime then says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets.errors import ConversionFailed
from deploy_targets.targets.tflite.oldest import minimum_runtime

from .written import model


def test_the_version_that_the_converter_wrote_is_read(tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(model([1]))
    assert minimum_runtime(file) == "2.2.0"


def test_a_file_that_does_not_say_is_not_guessed_about(tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(model([1]).replace(b"min_runtime_version", b"max_runtime_version"))
    assert minimum_runtime(file) is None


def test_another_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(b"something else")
    with pytest.raises(ConversionFailed, match=r"no \.tflite"):
        minimum_runtime(file)
