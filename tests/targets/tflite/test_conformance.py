"""The ten promises of every target, kept by this one: on ONNX, in which faults can be planted."""

from __future__ import annotations

import pytest

from deploy_targets import registry
from deploy_targets.targets.base import Target
from deploy_targets.testing.conformance import TargetConformance


class TestTflite(TargetConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def target(cls) -> Target:
        # Batches of one have no order that a fault could reverse.
        options = {"converter": "onnx-in-tensorflow", "batch_sizes": [1, 3]}
        return registry.load("tflite", {**options, "arm": "none", "old_runtime": False})
