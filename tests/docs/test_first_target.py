"""The code of docs/first-target.md, run; the conformance kit on it; and a target that lies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy_targets import registry
from deploy_targets.targets.base import Target
from deploy_targets.testing.conformance import TargetConformance

pytestmark = pytest.mark.usefixtures("first_target")


class TestHere(TargetConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def target(cls, first_target: Path) -> Target:
        return registry.load("here")


def test_the_pages_own_test_passes(first_target: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_first_target.py"],
        cwd=first_target,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(first_target)},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "passed" in run.stdout
