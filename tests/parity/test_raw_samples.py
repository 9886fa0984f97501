"""Whatever lies in a folder of raw samples is asked, or refused: nothing is left out in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from deploy_targets.errors import ConfigError
from deploy_targets.parity import raw_samples
from deploy_targets.records import Signature, Staging, TensorSpec

SUFFIXES = {"image": (".jpg", ".png")}
IMAGE, SIDE = TensorSpec("image", "uint8", ("n",)), TensorSpec("side", "float32", (1,))


def staging(*inputs: TensorSpec) -> Staging:
    return Staging((), Signature(inputs, (), ()), {"image": ()}, {}, SUFFIXES, True)


def filled(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


@pytest.mark.parametrize("stray", ["b.tif", "README", "notes.txt", "b.NPY"])
def test_a_file_that_nobody_reads_is_refused_with_what_is_read(tmp_path: Path, stray: str) -> None:
    filled(tmp_path, "a.png", stray)
    with pytest.raises(
        ConfigError, match=rf"{stray} holds no sample: \.jpg, \.png, \.npz"
    ) as error:
        raw_samples.files(tmp_path, SUFFIXES)
    assert "move it out" in error.value.hint
    with pytest.raises(ConfigError, match=f"{stray} holds no sample"):
        raw_samples.files(tmp_path / stray, SUFFIXES)


def test_hidden_files_and_tensors_may_lie_beside_raw_samples(tmp_path: Path) -> None:
    filled(tmp_path, "a.png", "B.JPG", ".DS_Store", "c.npz", "d.npy", "e.safetensors")
    assert [f.name for f in raw_samples.files(tmp_path, SUFFIXES)] == ["B.JPG", "a.png"]
    assert set(raw_samples.read(tmp_path, staging(IMAGE))) == {"a", "B"}


def test_a_folder_without_declared_raw_inputs_is_left_to_the_tensors(tmp_path: Path) -> None:
    assert raw_samples.files(filled(tmp_path, "a.npz", "README"), {}) == []


def test_a_file_in_a_case_that_is_no_input_is_refused(tmp_path: Path) -> None:
    filled(tmp_path, "one/image.png", "one/.DS_Store")
    np.save(tmp_path / "one" / "side.npy", np.zeros(1, np.float32))
    assert set(raw_samples.read(tmp_path, staging(IMAGE, SIDE))["one"]) == {"image", "side"}
    filled(tmp_path, "one/image.tif")
    with pytest.raises(ConfigError, match=r"holds image\.tif, which is read as no input"):
        raw_samples.read(tmp_path, staging(IMAGE, SIDE))
