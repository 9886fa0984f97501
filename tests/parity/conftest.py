"""A bundle that was built and judged, for the tests of what is made of verdicts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from deploy_targets import bundle as bundles
from deploy_targets import pipeline, registry
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.pipeline import Job
from deploy_targets.records import Bundle
from deploy_targets.testing import zoo
from deploy_targets.workspace import Workspace


@pytest.fixture(scope="session")
def built(first_target: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The convnet of the zoo, a classifier, for the target of docs/first-target.md."""
    folder = tmp_path_factory.mktemp("built")
    source = zoo.convnet(folder / "convnet.onnx")
    outputs = (("logits", "classifier"), ("features", "plain"))
    spec = SourceSpec(str(source), folder, outputs=outputs)
    job = Job(spec, registry.load("here", {}), folder / "bundle")
    return pipeline.build(job, Workspace(folder / "workspace")).bundle.path


@pytest.fixture
def judged(built: Path, tmp_path: Path) -> Bundle:
    """A copy of it, to be changed at will."""
    return bundles.open_bundle(Path(shutil.copytree(built, tmp_path / "judged")))
