"""The Lambda target keeps every target's promises, in AWS's own emulator."""

from __future__ import annotations

import pytest

from deploy_targets import registry
from deploy_targets.targets.base import Target
from deploy_targets.testing.conformance import TargetConformance


class TestLambda(TargetConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def target(cls) -> Target:
        return registry.load("lambda")
