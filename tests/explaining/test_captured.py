"""A fault of the capture: the module, its nodes and the user's line are named."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import bundle as bundles
from deploy_targets import config, frontends, pipeline, registry
from deploy_targets.choose import Attempt
from deploy_targets.config import Settings
from deploy_targets.converters import onnx_from_torch
from deploy_targets.explaining import blame
from deploy_targets.explaining.captured import culprit
from deploy_targets.explaining.explain import explain
from deploy_targets.explaining.sides import Side
from deploy_targets.frontends.eager import EagerModel
from deploy_targets.frontends.hooks import watch
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity.finding import Culprit, Explanation, Stage
from deploy_targets.parity.verify import merged, verify
from deploy_targets.pipeline import Job
from deploy_targets.records import Capture, Dialect, DynamicAxis, Prepared, TensorSpec
from deploy_targets.testing import zoo
from deploy_targets.workspace import Workspace

pytestmark = pytest.mark.usefixtures("first_target")
LEGACY = Capture(Dialect.ONNX, "legacy")


def explained(spec: SourceSpec, folder: Path, workspace: Workspace) -> Explanation:
    """A bundle of what the legacy exporter makes of a model, explained with the model."""
    job = Job(spec, registry.load("here"), folder / "out")
    model = frontends.load(spec)
    known = pipeline.record(model, job)
    graph = pipeline.capture(model, LEGACY, workspace)
    prepared = Prepared(model.name, model.signature, graph, job.recipe)
    bundle = pipeline.seal(prepared, known, job, Attempt(job.target, LEGACY, job.out), workspace)
    with job.target.runner(workspace) as runner:
        bundles.write_report(bundle, merged(bundle, verify(bundle, runner)))
    return explain(bundle.path, settings(spec, folder), workspace=workspace)


def settings(spec: SourceSpec, folder: Path) -> Settings:
    """The deploy.toml of a spec."""
    plain = {
        "source": spec.source,
        "inputs": {s.name: {"dtype": s.dtype, "shape": list(s.shape)} for s in spec.inputs},
        "axes": {axis.name: [axis.minimum, axis.maximum] for axis in spec.axes},
    }
    named = {"name": spec.name, "batch": spec.batch}
    return config.validate({**plain, **{k: v for k, v in named.items() if v}}, folder)


def test_a_branch_on_a_value_is_explained_with_its_line(
    tmp_path: Path, workspace: Workspace
) -> None:
    found = explained(zoo.SPECS["branches"], tmp_path, workspace)
    (blamed,) = found.culprits
    assert (found.stage, blamed.stage) == (Stage.CAPTURE, Stage.CAPTURE)
    assert "if x.sum() > 0 else self.head(-x)" in blamed.line
    assert "torch_zoo.py:" in blamed.line
    assert "head is given something else" in " ".join(blamed.details)


def captured(spec: SourceSpec, folder: Path, sizes: dict[str, tuple[int, ...]]) -> Culprit:
    """Who is blamed for what the legacy exporter, here in this process, makes of a model."""
    model = frontends.load(spec)
    assert isinstance(model, EagerModel)
    asked = onnx_from_torch.arguments(spec, model.signature, LEGACY, folder, model.weights)
    with warnings.catch_warnings():
        # That it is deprecated and burns numbers in is what this is about.
        warnings.simplefilter("ignore")
        onnx_from_torch.export(**asked)
    # Another seed than that of the inputs that models are exported with.
    generator = np.random.default_rng(99)
    inputs = {n: generator.normal(size=size).astype(np.float32) for n, size in sizes.items()}
    side = Side.read(folder / "model.onnx", inputs)
    found = culprit(model, inputs, side, blame.sources_of(folder), 1.0)
    assert found is not None
    return found


def test_a_crop_by_a_burnt_in_number_is_explained_with_its_line(tmp_path: Path) -> None:
    found = captured(zoo.SPECS["crop"], tmp_path, {"x": (2, 3, 21)})
    assert (found.stage, found.operator, found.kind) == (Stage.CAPTURE, "Slice", "shape")
    assert "[:, :, keep:]" in found.line


DEEP = """
import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, burns):
        super().__init__()
        self.fc = nn.Linear(6, 6)
        self.burns = burns

    def forward(self, x):
        y = self.fc(x)
        if self.burns:
            y = y * float(x.abs().max())
        return torch.tanh(y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(Block(i == 3) for i in range(6))
        self.act = nn.ReLU(inplace=True)

    def forward(self, x):
        for block in self.blocks:
            x = x + self.act(block(x) + 0.1)
        return {"scores": x}


def build():
    torch.manual_seed(0)
    return Net().eval()
"""


@pytest.fixture
def deep(tmp_path: Path) -> SourceSpec:
    """Six blocks, of which the fourth makes a Python number of what it is given."""
    (tmp_path / "model.py").write_text(DEEP)
    inputs = (TensorSpec("x", "float32", ("batch", 6)),)
    axes = (DynamicAxis("batch", 1, 4),)
    return SourceSpec("model.py:build", tmp_path, inputs=inputs, axes=axes, batch="batch")


def test_of_many_modules_the_one_with_the_fault_is_named(deep: SourceSpec, tmp_path: Path) -> None:
    folder = tmp_path / "graph"
    folder.mkdir()
    found = captured(deep, folder, {"x": (2, 6)})
    assert (found.module, found.operator) == ("blocks.3", "Tanh")
    assert "Mul" in found.details[0]
    assert found.line.startswith("model.py:16")
    assert found.output.relative_l2 > 1e-4
    assert all(seen.relative_l2 < 1e-5 for seen in found.inputs)


def test_hooks_see_every_call_in_order_and_what_it_was_given_before_it_was_overwritten(
    deep: SourceSpec,
) -> None:
    model = frontends.load(deep)
    assert isinstance(model, EagerModel)
    answers, calls = watch(model, {"x": -np.ones((2, 6), np.float32)})
    acts = [call for call in calls if call.path == "act"]
    assert [call.number for call in acts] == [0, 1, 2, 3, 4, 5]
    assert calls[-1].path == ""
    assert all((call.outputs[0] >= 0).all() for call in acts)
    assert any((call.inputs[0] < 0).any() for call in acts)
    assert [call.path for call in calls[:3]] == ["blocks.0.fc", "blocks.0", "act"]
    assert "self.act(block(x) + 0.1)" in acts[0].line
    assert acts[0].line.startswith("model.py:")
    again, _ = watch(model, {"x": -np.ones((2, 6), np.float32)})
    np.testing.assert_array_equal(again["scores"], answers["scores"])
