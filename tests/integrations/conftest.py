"""A function in the emulator, for the tests of what it sees and of how it runs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy_targets.integrations import interpreters, lambda_runtime
from deploy_targets.integrations.lambda_emulator import Function, start
from deploy_targets.workspace import Workspace
from tests.integrations.functions import CODE, spec


@pytest.fixture(scope="module")
def kept() -> Workspace:
    """The user's own cache: what is fetched for these tests is fetched once for a machine."""
    return Workspace()


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("task")
    shutil.copy(CODE, folder / "app.py")
    return folder


@pytest.fixture(scope="module")
def python() -> str:
    found = interpreters.newest(lambda_runtime.PYTHONS)
    assert found, "no Python on this machine is one of Lambda's"
    return found.minor


@pytest.fixture(scope="module")
def function(task: Path, python: str, kept: Workspace) -> Iterator[Function]:
    """One sandbox for all tests that leave it whole."""
    with start(spec(task, python, environment={"MODEL": "m.onnx"}), kept) as function:
        yield function
