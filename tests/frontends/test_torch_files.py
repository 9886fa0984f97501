"""What PyTorch writes and is no model: told by its bytes, and never unpickled."""

from __future__ import annotations

import pickle
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from deploy_targets import frontends
from deploy_targets.errors import DeployError
from deploy_targets.frontends import torch_files
from deploy_targets.frontends.source import SourceSpec
from tests.frontends.scripted import Shrinks, save
from tests.frontends.test_exported import write_program

WEIGHTS = nn.Sequential(nn.Linear(2, 1)).state_dict()
FORMATS = (
    lambda thing, path: torch.save(thing, path),
    lambda thing, path: torch.save(thing, path, _use_new_zipfile_serialization=False),
    lambda thing, path: path.write_bytes(pickle.dumps(thing, protocol=4)),
)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.place,)


def refusal(path: Path) -> DeployError:
    with pytest.raises(DeployError) as caught:
        frontends.load(SourceSpec(path.name, path.parent))
    assert caught.value.exit_code == 3
    return caught.value


@pytest.mark.parametrize("written", FORMATS)
@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (WEIGHTS, "is a state_dict (0.weight, 0.bias …): weights, and not the code"),
        ({"weight": torch.ones(1)}, "is a state_dict (weight …)"),
        (
            {"epoch": 3, "model": WEIGHTS, "optimizer": {"state": {}}},
            "is a training checkpoint: it holds epoch, model, optimizer",
        ),
        (
            {"epoch": 3, "model": Shrinks()},
            "it holds epoch, model, and a pickled module (tests.frontends.scripted.Shrinks)",
        ),
        (Shrinks(), "is a pickled module (tests.frontends.scripted.Shrinks), which runs code"),
        (nn.Linear(2, 1), "is a pickled module (torch.nn.modules.linear.Linear)"),
        (torch.ones(2), "is a file of torch.save: weights"),
    ],
)
def test_what_torch_save_was_given_is_told(
    tmp_path: Path, written: Callable[[object, Path], object], thing: object, said: str
) -> None:
    path = tmp_path / "model.pt"
    written(thing, path)
    error = refusal(path)
    assert said in str(error)
    assert "file.py:function" in error.hint


@pytest.mark.parametrize("written", FORMATS)
def test_nothing_is_unpickled(tmp_path: Path, written: Callable[[object, Path], object]) -> None:
    path, sprung = tmp_path / "model.pt", tmp_path / "sprung"
    written({"epoch": 1, "model": Trap(sprung)}, path)
    refusal(path)
    assert not sprung.exists()
    # The trap is one: what unpickles it sets it off.
    if path.read_bytes().startswith(b"\x80\x04"):
        pickle.loads(path.read_bytes())
    else:
        torch.load(path, weights_only=False)
    assert sprung.exists()


def test_an_exported_program_under_another_name_is_told(tmp_path: Path) -> None:
    spec = write_program(tmp_path)
    (tmp_path / spec.source).rename(tmp_path / "model.pt")
    error = refusal(tmp_path / "model.pt")
    assert ("an exported program" in str(error), error.hint) == (True, "name it x.pt2")


def test_torchscript_under_another_name_is_told(tmp_path: Path) -> None:
    save(tmp_path, Shrinks().eval()).rename(tmp_path / "model.pt2")
    error = refusal(tmp_path / "model.pt2")
    assert ("a TorchScript archive" in str(error), error.hint) == (True, "name it x.pt")


def test_mobile_bytecode_without_its_code_is_told(tmp_path: Path) -> None:
    whole = save(tmp_path, Shrinks().eval(), name="whole.ptl")
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(tmp_path / "m.ptl", "w") as new:
        for name in old.namelist():
            if "/code/" not in name:
                new.writestr(name, old.read(name))
    assert "bytecode of PyTorch Mobile" in str(refusal(tmp_path / "m.ptl"))
    (tmp_path / "flat.ptl").write_bytes(b"<\0\0\0PTMF" + bytes(20))
    assert "bytecode of PyTorch Mobile" in str(refusal(tmp_path / "flat.ptl"))


@pytest.mark.parametrize(
    ("contents", "said"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a git-lfs pointer"),
        (b"<!DOCTYPE html><html>", "an HTML or XML page"),
        (b"PK\x03\x04 and no more", "a damaged zip archive"),
        (b"\x80\x02} and no more", "a damaged file of torch.save or pickle"),
        (torch_files.LEGACY + b"\x80\x02", "a damaged file of torch.save or pickle"),
        (b'\x10\0\0\0\0\0\0\0{"a":{}}', "a file of safetensors"),
        (b"something else", "no file that PyTorch writes"),
    ],
)
def test_other_bytes_are_told(tmp_path: Path, contents: bytes, said: str) -> None:
    path = tmp_path / "model.pt"
    path.write_bytes(contents)
    error = refusal(path)
    assert said in str(error)
    assert error.hint


def test_a_cut_off_archive_is_damaged(tmp_path: Path) -> None:
    path = save(tmp_path, Shrinks().eval())
    path.write_bytes(path.read_bytes()[:-100])
    assert "a damaged zip archive" in str(refusal(path))


def test_other_zips_and_tars_are_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.pt", "w") as archive:
        archive.writestr("readme", "x")
    assert "a zip archive that PyTorch did not write" in str(refusal(tmp_path / "model.pt"))
    with tarfile.open(tmp_path / "old.pt", "w") as old:
        old.add(tmp_path / "model.pt", "storages")
    assert "a tar" in str(refusal(tmp_path / "old.pt"))
