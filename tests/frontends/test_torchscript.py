"""TorchScript files as sources."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from deploy_targets import frontends
from deploy_targets.drafting import draft
from deploy_targets.errors import DeployError
from deploy_targets.frontends.eager import EagerModel
from deploy_targets.frontends.hooks import watch
from deploy_targets.frontends.source import Kind, SourceSpec, kind_of
from deploy_targets.frontends.torchscript import reason
from deploy_targets.runtime import Rounding
from deploy_targets.workspace import Workspace
from tests.frontends.scripted import SCALE, Listed, Shrinks, X, save, spec

INPUTS = {
    "x": np.linspace(-3, 3, 20, dtype=np.float32).reshape(5, 4),
    "scale": np.linspace(1, 2, 5, dtype=np.float32).reshape(5, 1),
}


class ListAsked(nn.Module):
    """Takes what is no tensor."""

    def forward(self, x: list[torch.Tensor]) -> torch.Tensor:
        return x[0]


class Exports(nn.Module):
    """Has a method, but none called forward."""

    @torch.jit.export
    def other(self, x: torch.Tensor) -> torch.Tensor:
        return x


class OnGpu(nn.Module):
    """Makes a tensor where the one who wrote it had a GPU."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.zeros(1, device="cuda")


def refusal(source: SourceSpec) -> DeployError:
    with pytest.raises(DeployError) as caught:
        frontends.load(source)
    return caught.value


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.torchscript", "model.ts"])
def test_the_contents_make_a_file_torchscript(tmp_path: Path, name: str) -> None:
    assert kind_of(spec(save(tmp_path, Shrinks().eval(), name=name))) is Kind.TORCHSCRIPT


@pytest.mark.parametrize("how", ["script", "freeze"])
def test_branches_and_loops_on_values_answer_as_they_did_in_python(
    tmp_path: Path, how: str
) -> None:
    model = frontends.load(spec(save(tmp_path, Shrinks().eval(), how=how)))
    assert [(o.name, o.shape) for o in model.signature.outputs] == [
        ("scores", ("batch", 3)),
        ("steps", ()),
    ]
    for sign in (1, -1):
        inputs = {"x": sign * INPUTS["x"], "scale": INPUTS["scale"]}
        wanted = Shrinks().eval()(*map(torch.from_numpy, inputs.values()))
        answers = model.run(inputs)
        np.testing.assert_allclose(answers["scores"], wanted.scores.detach().numpy(), rtol=1e-6)
        assert answers["steps"] == int(wanted.steps)
        assert answers["steps"] > 0


def test_nested_outputs_keep_their_names(tmp_path: Path) -> None:
    model = frontends.load(spec(save(tmp_path, Listed().eval()), X))
    assert [output.name for output in model.signature.outputs] == ["low_0", "low_1", "high_0"]


def test_a_mobile_file_that_has_its_code_is_taken(tmp_path: Path) -> None:
    model = frontends.load(spec(save(tmp_path, Shrinks().eval(), name="model.ptl")))
    assert model.run(INPUTS)["scores"].shape == (5, 3)


def test_it_is_tried_in_float64_unless_it_was_frozen(tmp_path: Path) -> None:
    plain = frontends.load(spec(save(tmp_path, Shrinks().eval())))
    frozen = frontends.load(spec(save(tmp_path, Shrinks().eval(), how="freeze", name="f.pt")))
    assert Rounding.DOUBLE in plain.roundings
    assert Rounding.DOUBLE not in frozen.roundings
    assert Rounding.OPERANDS in frozen.roundings
    moved = frozen.run(INPUTS, rounding=Rounding.OPERANDS, seed=1)["scores"]
    assert 0 < np.abs(moved - frozen.run(INPUTS)["scores"]).max() < 1e-4


def test_a_frozen_file_is_known_by_its_bytes(tmp_path: Path, workspace: Workspace) -> None:
    module = Shrinks().eval()
    source = spec(save(tmp_path, module, how="freeze"))
    first = frontends.load(source, workspace)
    assert isinstance(first, EagerModel)
    assert frontends.recall(source, workspace) == first.digest
    with torch.no_grad():
        module.fc.bias += 1
    save(tmp_path, module, how="freeze")
    assert frontends.recall(source, workspace) is None
    second = frontends.load(source)
    assert isinstance(second, EagerModel)
    assert first.digest != second.digest
    assert first.weights != second.weights


def test_undeclared_inputs_are_named_as_the_file_names_them(tmp_path: Path) -> None:
    path = save(tmp_path, Shrinks().eval())
    error = refusal(SourceSpec(path.name, tmp_path))
    assert error.exit_code == 2
    assert "forward takes x, scale" in str(error)
    assert "[inputs.scale] dtype" in error.hint


def test_a_file_saved_in_training_mode_is_refused(tmp_path: Path) -> None:
    error = refusal(spec(save(tmp_path, Shrinks())))
    assert error.exit_code == 3
    assert "saved in training mode (the module itself and 1 more)" in str(error)
    assert "module.eval() before" in error.hint


@pytest.mark.parametrize(
    ("module", "said"),
    [
        (ListAsked(), "x of forward is List[Tensor], and no tensor"),
        (Exports(), "has no method forward"),
        (OnGpu(), "makes tensors on a GPU"),
    ],
)
def test_what_cannot_be_asked_is_refused(tmp_path: Path, module: nn.Module, said: str) -> None:
    error = refusal(spec(save(tmp_path, module.eval()), X))
    assert error.exit_code == 3
    assert said in str(error)
    assert error.hint


def test_an_error_inside_shows_the_reason_and_the_scripted_line(tmp_path: Path) -> None:
    wide = replace(X, shape=("batch", 5))
    error = refusal(spec(save(tmp_path, Shrinks().eval()), wide, SCALE))
    assert "mat1 and mat2 shapes cannot be multiplied (2x5 and 4x3)" in str(error)
    assert "(scripted.py, line " in str(error)
    assert "interpreter" not in str(error)


def test_the_reason_is_the_last_line_where_no_error_is_named() -> None:
    assert reason("TorchScript stack\n  it is so") == "it is so"


def test_a_draft_of_a_traced_file_has_the_sizes_it_was_traced_with(tmp_path: Path) -> None:
    path = save(tmp_path, Listed().fc.eval(), how="trace")
    drafted = draft(SourceSpec(path.name, tmp_path))
    assert drafted.checked
    assert '[inputs.input]\ndtype = "float32"\nshape = ["batch", 4]' in drafted.text


def test_a_draft_of_a_scripted_file_looks_at_its_first_layer(tmp_path: Path) -> None:
    path = save(tmp_path, Listed().eval())
    drafted = draft(SourceSpec(path.name, tmp_path))
    assert drafted.checked
    assert '[inputs.x]\ndtype = "float32"\nshape = ["batch", 4]' in drafted.text
    unknown = draft(SourceSpec(save(tmp_path, Shrinks().eval(), how="freeze").name, tmp_path))
    assert not unknown.checked
    assert "[inputs.scale]" in unknown.text


def test_a_file_that_is_damaged_inside_is_told(tmp_path: Path) -> None:
    path = save(tmp_path, Shrinks().eval())
    data = bytearray(path.read_bytes())
    middle = data.index(b"code/__torch__") + 150
    data[middle : middle + 50] = bytes(50)
    path.write_bytes(data)
    error = refusal(spec(path))
    assert error.exit_code == 3
    assert "cannot be loaded by torch.jit.load" in str(error)


def test_watching_sees_torchscript_as_one_piece(tmp_path: Path) -> None:
    model = frontends.load(spec(save(tmp_path, Shrinks().eval())))
    assert isinstance(model, EagerModel)
    answers, calls = watch(model, INPUTS)
    (call,) = calls
    assert call.path == ""
    np.testing.assert_array_equal(call.outputs[0], answers["scores"])
