"""`deploy-target verify --explain` as a user meets it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import onnx
import pytest

from ..conftest import Cli
from . import planting
from .conftest import Planted


@pytest.fixture
def refused(planted: Planted) -> Path:
    """A bundle with one weight changed."""

    def plant(model: onnx.ModelProto) -> None:
        node = next(node for node in model.graph.node if node.name == "b3.conv.node")
        planting.weight_changed(model, node)

    return planted.bundle(plant)


@pytest.fixture
def environment(first_target: Path, odd: Path, planted: Planted) -> dict[str, str]:
    """With the same targets installed as in this process, and the cache of the build."""
    home = str(planted.workspace.root)
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(odd), str(first_target)]),
        "DEPLOY_TARGET_HOME": home,
        "COLUMNS": "100",
    }


def test_the_node_and_its_numbers_are_shown_and_the_code_is_that_of_verify(
    cli: Cli, refused: Path, environment: dict[str, str]
) -> None:
    run = cli("verify", refused, "--explain", env=environment)
    assert run.returncode == 5, run.stderr
    assert "constant at Conv b3.conv.node" in run.stdout
    assert "b3.w[" in run.stdout
    assert run.stdout.splitlines()[-1].endswith("FAIL")


def test_the_whole_explanation_is_in_the_json(
    cli: Cli, refused: Path, environment: dict[str, str]
) -> None:
    run = cli("verify", refused, "--explain", "--json", env=environment)
    said = json.loads(run.stdout)
    (culprit,) = said["explanation"]["culprits"]
    assert (said["verdict"], said["explanation"]["stage"]) == ("fail", "build")
    assert (culprit["operator"], culprit["node"]) == ("Conv", "b3.conv.node")
    assert culprit["output"]["expected"] != culprit["output"]["came"]


def test_model_without_explain_is_a_mistake_that_is_named(
    cli: Cli, refused: Path, environment: dict[str, str]
) -> None:
    run = cli("verify", refused, "--model", "deploy.toml", env=environment)
    assert (run.returncode, "add --explain" in run.stderr) == (2, True)


def test_a_bundle_that_passes_has_nothing_to_explain(
    cli: Cli, planted: Planted, environment: dict[str, str]
) -> None:
    run = cli("verify", planted.bundle(lambda m: None), "--explain", env=environment)
    assert (run.returncode, "nothing to explain" in run.stdout) == (0, True), run.stderr
