"""Exported programs as sources."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from deploy_targets import frontends
from deploy_targets.errors import UnsupportedModel
from deploy_targets.frontends import LoadedModel
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import Capture, Dialect, DynamicAxis, TensorSpec
from deploy_targets.testing import torch_zoo


class Pair(torch.nn.Module):
    """An argument by position, one by keyword, outputs in a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = torch_zoo.Internal()

    def forward(self, x: torch.Tensor, *, scale: torch.Tensor) -> dict[str, torch.Tensor]:
        return {name: value * scale for name, value in self.inner(x).items()}


def write_program(folder: Path) -> SourceSpec:
    """pair.pt2, of inputs by position and by keyword, with a dynamic batch."""
    torch.manual_seed(0)
    batch = torch.export.Dim("batch", min=1, max=16)
    with warnings.catch_warnings():
        # PyTorch warns of its own deprecations while it exports.
        warnings.simplefilter("ignore")
        program = torch.export.export(
            Pair().eval(),
            (torch.ones(2, 4),),
            {"scale": torch.ones(())},
            dynamic_shapes={"x": {0: batch}, "scale": {}},
        )
        torch.export.save(program, folder / "pair.pt2")
    return SourceSpec("pair.pt2", folder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_program(tmp_path_factory.mktemp("exported")).base


@pytest.fixture(scope="module")
def model(folder: Path) -> LoadedModel:
    return frontends.load(SourceSpec("pair.pt2", folder))


INPUTS = {"x": np.ones((5, 4), np.float32), "scale": np.array(2, np.float32)}


def test_the_file_tells_inputs_axes_and_outputs(model: LoadedModel) -> None:
    signature = model.signature
    assert signature.inputs == (
        TensorSpec("x", "float32", ("x_dim_0", 4)),
        TensorSpec("scale", "float32", ()),
    )
    assert signature.axes == (DynamicAxis("x_dim_0", 1, 16),)
    assert [(spec.name, spec.shape) for spec in signature.outputs] == [
        ("relu", ("x_dim_0", 2)),
        ("linear", ("x_dim_0", 3)),
    ]
    assert model.run(INPUTS)["relu"].shape == (5, 2)


def test_deploy_toml_names_the_axes(folder: Path) -> None:
    spec = SourceSpec(
        "pair.pt2",
        folder,
        inputs=(TensorSpec("x", "float32", ("batch", 4)),),
        axes=(DynamicAxis("batch", 1, 3),),
        batch="batch",
    )
    signature = frontends.load(spec).signature
    assert signature.inputs[0].shape == ("batch", 4)
    assert signature.axes == (DynamicAxis("batch", 1, 3),)


def test_the_program_itself_is_a_capture(model: LoadedModel, folder: Path, tmp_path: Path) -> None:
    model.capture(Capture(Dialect.EXPORTED, "as given"), tmp_path)
    assert (tmp_path / "model.pt2").read_bytes() == (folder / "pair.pt2").read_bytes()


def test_a_zip_that_holds_no_program_is_refused(tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(tmp_path / "model.pt2", "w") as archive:
        archive.writestr("model/readme", "x")
    with pytest.raises(UnsupportedModel, match=r"cannot be loaded by torch.export.load"):
        frontends.load(SourceSpec("model.pt2", tmp_path))
