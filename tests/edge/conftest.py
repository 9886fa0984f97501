"""A bundle for a Jetson, built once and judged in its ONNX Runtime, and the package in it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from deploy_targets import pipeline, registry
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.records import DynamicAxis
from deploy_targets.testing import zoo
from deploy_targets.workspace import Workspace

NAME = "deploy_target_edge"
Part = Callable[[str], ModuleType]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A small network for a JetPack 6: image f32[B,3,8,8] -> logits, features."""
    return build(tmp_path_factory.mktemp("edge"), "6")


@pytest.fixture(scope="session")
def built_4(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """The same for a JetPack 4, whose runtimes read an older ONNX."""
    return build(tmp_path_factory.mktemp("edge4"), "4")


def build(home: Path, jetpack: str) -> Outcome:
    """From ONNX of opset 17; no ARM is asked."""
    spec = SourceSpec(
        str(zoo.convnet(home / "convnet.onnx")), home, axes=(DynamicAxis("B", 1, 4),), batch="B"
    )
    target = registry.load("jetson", {"jetpack": jetpack, "arm": "none"})
    return pipeline.build(Job(spec, target, home / "bundle"), Workspace(), reuse=False)


@pytest.fixture(scope="session")
def bundle(built: Outcome) -> Path:
    """Its folder: not to be changed."""
    return built.bundle.path


@pytest.fixture(scope="session")
def part(bundle: Path) -> Iterator[Part]:
    """Imports a module of the package that lies in the bundle."""
    writes = sys.dont_write_bytecode
    sys.path.insert(0, str(bundle))
    yield lambda name: importlib.import_module(f"{NAME}.{name}")
    sys.path.remove(str(bundle))
    for name in [each for each in sys.modules if each.partition(".")[0] == NAME]:
        del sys.modules[name]
    sys.dont_write_bytecode = writes
