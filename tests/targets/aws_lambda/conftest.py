"""What the tests of this target share: an interpreter, and packages made with it."""

from __future__ import annotations

import pytest

from deploy_targets.integrations import interpreters
from deploy_targets.integrations.interpreters import Interpreter
from deploy_targets.targets.aws_lambda import dependencies, native
from deploy_targets.targets.aws_lambda.dependencies import Tree
from deploy_targets.workspace import Workspace


@pytest.fixture(scope="session")
def interpreter() -> Interpreter:
    """The newest Python of this machine that Lambda has too."""
    found = interpreters.newest(native.RUNTIMES)
    assert found, f"no Python of {', '.join(native.RUNTIMES)} was found on this machine"
    return found


@pytest.fixture(scope="session")
def packages(interpreter: Interpreter) -> Tree:
    """The fastapi flavor for x86-64, from the user's own cache where it was made before."""
    return dependencies.tree("fastapi", "x86_64", interpreter, Workspace())
