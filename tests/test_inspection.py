"""What `inspect` says of a model whose deploy.toml declares steps, without a target."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy_targets import api, config, inspection, registry
from deploy_targets.errors import ConfigError
from deploy_targets.records import Prepared
from deploy_targets.workspace import Workspace

from .conftest import Cli

CODE = """
import torch

class Means(torch.nn.Module):
    def forward(self, image):
        return image.mean((2, 3))

def build():
    return Means().eval()
"""
DECLARED = """
source = "model.py:build"
[inputs.image]
shape = [1, 3, 8, 8]
[inputs.image.preprocess]
type = "image"
resize = { to = [8, 8] }
mean = 0.5
[outputs.scores]
[outputs.scores.postprocess]
type = "classes"
activation = "softmax"
labels = ["red", "green", "blue"]
"""
STEPS = ["decode_image", "resize", "scale", "layout", "softmax"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a model of photos and its deploy.toml."""
    (tmp_path / "model.py").write_text(CODE)
    (tmp_path / "deploy.toml").write_text(DECLARED)
    return tmp_path


def test_declared_steps_are_listed_for_a_model_as_for_a_bundle(cli: Cli, project: Path) -> None:
    run = cli("inspect", cwd=project)
    assert run.returncode == 0, run.stderr
    places = [run.stdout.find(step) for step in STEPS]
    assert places == sorted(places)
    assert -1 not in places
    shown = json.loads(cli("inspect", "--json", cwd=project).stdout)
    assert [stage["op"] for stage in shown["stages"]][:5] == STEPS


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("to = [8, 8]", "to = [9, 9]"), r"\[inputs.image.preprocess\]: .*9"),
        ((', "blue"', ""), r"\[outputs.scores.postprocess\]: .*labels"),
    ],
)
def test_steps_that_do_not_fit_are_refused_before_anything_is_captured(
    project: Path, workspace: Workspace, wrong: tuple[str, str], message: str
) -> None:
    (project / "deploy.toml").write_text(DECLARED.replace(*wrong))
    settings = config.read(project / "deploy.toml")
    with pytest.raises(ConfigError, match=message):
        inspection.inspect(api.spec_of(settings), workspace, api.steps_of(settings))


@pytest.mark.usefixtures("first_target")
def test_a_target_that_raises_what_it_would_not_take_is_one_line_among_the_others(
    project: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(self: object, prepared: Prepared) -> tuple[str, ...]:
        raise ConfigError("no axis 'tim'", hint="name one of [axes]")

    monkeypatch.setattr(registry.target_class("here"), "check", check)
    found = inspection.inspect(api.spec_of(config.read(project / "deploy.toml")), workspace)
    assert found.problems["here"] == ("no axis 'tim'",)
    assert found.problems["lambda"] == ()
