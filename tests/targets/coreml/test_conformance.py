"""The promises of every target that can be kept where the target's runtime is not: all but three.

Faults are planted in recordings (test_bundle.py) and in the package (tests/converters/coreml), for
nothing here gives answers of its own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets import registry
from deploy_targets.pipeline import Job
from deploy_targets.targets.base import Target
from deploy_targets.testing.conformance import TargetConformance

from .written import convnet


class TestCoreml(TargetConformance):
    runs_here = False

    @pytest.fixture(scope="class")
    @classmethod
    def target(cls) -> Target:
        return registry.load("coreml")

    @pytest.fixture(scope="class")
    @classmethod
    def job(cls, target: Target, place: Path) -> Job:
        return Job(convnet(place), target, place / "bundle")
