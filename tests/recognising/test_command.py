"""deploy-target init --transform, as a user meets it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from deploy_targets.testing import zoo

from ..conftest import Cli

SCALER = """
from sklearn.preprocessing import StandardScaler

def scaler():
    rows = [[float(row + column) for column in range(6)] for row in range(5)]
    return StandardScaler().fit(rows)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    zoo.write(tmp_path)
    (tmp_path / "scaling.py").write_text(SCALER)
    return tmp_path


def test_the_table_is_in_the_file_and_its_check_is_told(cli: Cli, project: Path) -> None:
    arguments = ("init", "model.py:build", "--transform", "x=scaling.py:scaler", "--json")
    run = cli(*arguments, cwd=project, env={**os.environ})
    assert run.returncode == 0, run.stderr
    said = "checked against scaling.py:scaler on 7 tables"
    assert json.loads(run.stdout)["steps"] == {"x": {"said": said, "same": True}}
    written = (project / "deploy.toml").read_text()
    assert "[inputs.x.preprocess]\n# from scaling.py:scaler, a scikit-learn StandardS" in written
    assert f"# {said}" in written


def test_a_mistake_leaves_no_file(cli: Cli, project: Path) -> None:
    arguments = ("init", "model.py:build", "--transform", "scaling.py:scalar")
    run = cli(*arguments, cwd=project, env={**os.environ})
    assert run.returncode == 2
    assert "did you mean 'scaler'?" in run.stderr
    assert not (project / "deploy.toml").exists()
