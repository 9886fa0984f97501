"""Samples on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from deploy_targets.errors import ConfigError
from deploy_targets.parity import samples
from deploy_targets.records import Signature, TensorSpec

ONE = Signature((TensorSpec("x", "float32", (2,)),), ())
TWO = Signature((TensorSpec("x", "float32", (2,)), TensorSpec("y", "float32", (2,))), ())
X = np.array([1, 2], np.float32)


def test_each_format_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X)
    np.save(tmp_path / "b.npy", X)
    save_file({"x": X}, tmp_path / "c.safetensors")
    (tmp_path / "notes.txt").write_text("not a sample")
    read = samples.read(tmp_path, ONE)
    assert list(read) == ["a", "b", "c"]
    for tensors in read.values():
        np.testing.assert_array_equal(tensors["x"], X)


def test_a_single_file_is_a_single_case(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X)
    np.savez(tmp_path / "b.npz", x=X)
    assert list(samples.read(tmp_path / "a.npz", ONE)) == ["a"]


def test_no_samples_are_no_cases() -> None:
    assert samples.read(None, ONE) == {}
    assert samples.digest(None) == ""


def test_the_digest_follows_names_and_contents_and_not_the_folder(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "a.npy", X)
    same = samples.digest(tmp_path / "one")
    assert samples.digest(tmp_path / "two") == same
    np.save(tmp_path / "two" / "a.npy", X + 1)
    assert samples.digest(tmp_path / "two") != same


def test_a_lone_array_for_two_inputs_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(ConfigError, match="the model takes x, y"):
        samples.read(tmp_path, TWO)


def test_pickled_truncated_and_foreign_files_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "pickled.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    (tmp_path / "empty.npz").write_bytes(b"")
    (tmp_path / "text.safetensors").write_text("hello, this is no tensor file")
    (tmp_path / "junk.npz").write_bytes(b"PK junk")
    np.savez(tmp_path / "objects.npz", x=np.array([{"a": 1}], dtype=object))
    for name in ("pickled.npy", "empty.npz", "text.safetensors", "junk.npz", "objects.npz"):
        with pytest.raises(ConfigError, match=f"{name} cannot be read"):
            samples.read(tmp_path / name, ONE)


def test_two_samples_of_one_name_are_refused_and_none_is_lost(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X)
    np.save(tmp_path / "a.npy", X)
    with pytest.raises(ConfigError, match="are called 'a'"):
        samples.read(tmp_path, ONE)


def test_an_absent_or_empty_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        samples.read(tmp_path / "absent", ONE)
    assert samples.read(tmp_path, ONE) == {}
