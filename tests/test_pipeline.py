"""The whole path, with the target of docs/first-target.md: ONNX Runtime, really run."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import bundle as bundles
from deploy_targets import frontends, pipeline, registry
from deploy_targets.errors import ConfigError, ParityFailed, UnsupportedModel
from deploy_targets.frontends.onnx import OnnxModel
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity.expected import Tolerance
from deploy_targets.parity.verify import Recorded
from deploy_targets.pipeline import Job
from deploy_targets.records import Answer, Array, Capture, Dialect, Tensors, TensorSpec
from deploy_targets.testing import zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

pytestmark = pytest.mark.usefixtures("first_target")


@pytest.fixture
def spec(tmp_path: Path) -> SourceSpec:
    """A torch module of one's own: code, a sibling module, a weight file."""
    return zoo.write(tmp_path / "project")


def job_of(spec: SourceSpec, out: Path, **more: object) -> Job:
    return Job(spec, registry.load("here"), out, **more)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def three_inputs(first_target: Path, tmp_path_factory: pytest.TempPathFactory) -> pipeline.Outcome:
    """Three inputs of three dtypes, two outputs, a dynamic batch."""
    home = tmp_path_factory.mktemp("three")
    job = job_of(zoo.SPECS["three_inputs"], home / "out")
    return pipeline.build(job, Workspace(home / "workspace"))


def test_three_inputs_and_two_outputs_pass_at_every_batch(three_inputs: pipeline.Outcome) -> None:
    assert three_inputs.verdict is Verdict.PASS
    manifest = three_inputs.bundle.manifest
    assert [spec.name for spec in manifest.signature.inputs] == ["image", "token", "use"]
    asked = {
        check.call.inputs["token"].shape[0] for check in bundles.read_golden(three_inputs.bundle)
    }
    assert asked >= {1, 2, 5, 8}
    assert manifest.synthetic


def test_the_manifest_says_how_the_graph_was_captured(three_inputs: pipeline.Outcome) -> None:
    assert three_inputs.bundle.manifest.capture == "onnx by dynamo"
    assert three_inputs.bundle.manifest.bounds_from == (
        "inputs moved by an ulp",
        "float64 against float32",
        "every operand moved by an ulp at random",
        "one thread against several",
        "each row of a batch alone",
    )


LOOKS_AT_ITS_INPUT = """
import torch

class Careful(torch.nn.Module):
    def forward(self, x):
        if torch.isnan(x).any():
            raise ValueError("not a number")
        return x.sin()

def build():
    return Careful().eval()
"""


def test_what_dynamo_refuses_is_built_by_the_legacy_exporter(
    tmp_path: Path, workspace: Workspace
) -> None:
    (tmp_path / "model.py").write_text(LOOKS_AT_ITS_INPUT)
    inputs = (TensorSpec("x", "float32", (2, 3)),)
    spec = SourceSpec("model.py:build", tmp_path, inputs=inputs)
    outcome = pipeline.build(job_of(spec, tmp_path / "out"), workspace)
    assert outcome.verdict is Verdict.PASS
    assert outcome.bundle.manifest.capture == "onnx by legacy"
    assert "onnx by dynamo" in outcome.tried[0]
    assert any("onnx by dynamo was tried" in note for note in outcome.bundle.manifest.notes)


class Wrong:
    """The model, but the first of its captures is of other weights."""

    def __init__(self, honest: frontends.LoadedModel, other: frontends.LoadedModel) -> None:
        self._honest, self._other = honest, other

    def __getattr__(self, name: str) -> object:
        return getattr(self._honest, name)

    def capture(self, capture: Capture, folder: Path) -> None:
        chosen = self._other if capture.how == "dynamo" else self._honest
        chosen.capture(capture, folder)


def test_a_wrong_capture_is_found_and_the_next_one_taken(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = frontends.load(zoo.write(tmp_path / "honest", seed=0))
    other = frontends.load(zoo.write(tmp_path / "other", seed=1))
    monkeypatch.setattr(frontends, "load", lambda *_, **__: Wrong(honest, other))
    outcome = pipeline.build(job_of(honest.spec, tmp_path / "out"), workspace, reuse=False)  # type: ignore[attr-defined]
    assert outcome.verdict is Verdict.PASS
    assert outcome.bundle.manifest.capture == "onnx by legacy"
    assert "relative L2" in outcome.tried[0]


def test_what_never_answers_right_is_kept_as_refused(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = SourceSpec(source=str(zoo.convnet(tmp_path / "m.onnx")), base=tmp_path)
    run = OnnxModel.run

    def slightly_off(self: object, inputs: Tensors, **more: object) -> Mapping[str, object]:
        return {name: array * np.float32(1.01) for name, array in run(self, inputs, **more).items()}

    monkeypatch.setattr(OnnxModel, "run", slightly_off)
    with pytest.raises(ParityFailed, match="relative L2") as error:
        pipeline.build(job_of(spec, tmp_path / "out"), workspace)
    assert error.value.exit_code == 5
    refused = bundles.open_bundle(tmp_path / "out.refused")
    report = bundles.read_report(refused)
    assert report is not None
    assert {row.verdict for row in report.rows} == {Verdict.FAIL}
    assert not (tmp_path / "out").exists()
    assert "out.refused" in error.value.hint


def test_an_unchanged_build_comes_from_the_cache(spec: SourceSpec, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    job = job_of(spec, tmp_path / "out")
    first = pipeline.build(job, workspace)
    again = pipeline.build(job, workspace)
    elsewhere = pipeline.build(dataclasses.replace(job, out=tmp_path / "elsewhere"), workspace)
    assert (first.cached, again.cached, elsewhere.cached) == (False, True, True)
    assert bundles.digest(elsewhere.bundle) == bundles.digest(first.bundle)
    assert not pipeline.build(job, workspace, reuse=False).cached


def test_a_changed_weight_source_sample_or_option_never_comes_from_the_cache(
    spec: SourceSpec, tmp_path: Path
) -> None:
    import torch

    workspace = Workspace(tmp_path / "workspace")
    samples = tmp_path / "samples"
    samples.mkdir()
    np.savez(samples / "a.npz", x=np.ones((1, 6), np.float32))
    job = job_of(spec, tmp_path / "out", samples=samples)
    digests = [bundles.digest(pipeline.build(job, workspace).bundle)]

    def rebuilt(changed: Job = job) -> None:
        outcome = pipeline.build(changed, workspace)
        assert not outcome.cached
        digests.append(bundles.digest(outcome.bundle))

    weights = spec.base / "weights.bin"
    before = weights.stat()
    torch.save(zoo.weights(seed=7), weights)
    assert weights.stat().st_size == before.st_size
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    rebuilt()
    layers = spec.base / "layers.py"
    layers.write_text(layers.read_text().replace("relu", "sigmoid"))
    rebuilt()
    np.savez(samples / "a.npz", x=np.full((1, 6), 2, np.float32))
    rebuilt()
    rebuilt(dataclasses.replace(job, target=registry.load("here", {"threads": 2})))
    rebuilt(dataclasses.replace(job, budget=1e-3))
    assert len(set(digests)) == len(digests)


def test_a_cached_bundle_that_was_tampered_with_is_built_again(
    spec: SourceSpec, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path / "workspace")
    job = job_of(spec, tmp_path / "out")
    pipeline.build(job, workspace)
    (cached,) = (workspace.root / "cache" / "bundle").rglob("model.onnx")
    cached.write_bytes(cached.read_bytes()[:-1] + b"x")
    assert not pipeline.build(job, workspace).cached


def test_a_lane_not_run_here_keeps_what_a_device_said(
    three_inputs: pipeline.Outcome, tmp_path: Path, workspace: Workspace
) -> None:
    bundle = three_inputs.bundle
    actual = {check.call.name: Answer(check.expected) for check in bundles.read_golden(bundle)}
    said = pipeline.verify_folder(
        bundle.path, workspace, recorded=Recorded("a device", "cpu", actual)
    )
    assert (said.verdict, said.report.rows[0].where) == (Verdict.PASS, "a device")
    other = pipeline.verify_folder(
        bundle.path, workspace, recorded=Recorded("another", "gpu", actual)
    )
    assert other.report.rows == said.report.rows


def test_a_dialect_that_the_target_does_not_take_is_refused(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = registry.load("here")
    monkeypatch.setattr(type(target), "accepts", (Dialect.SAVED_MODEL,))
    spec = SourceSpec(source=str(zoo.convnet(tmp_path / "m.onnx")), base=tmp_path)
    with pytest.raises(UnsupportedModel, match="takes saved_model"):
        pipeline.build(Job(spec, target, tmp_path / "out"), workspace)


def test_nothing_that_is_no_bundle_is_replaced(spec: SourceSpec, workspace: Workspace) -> None:
    with pytest.raises(ConfigError, match="is no bundle"):
        pipeline.build(job_of(spec, spec.base), workspace)
    assert (spec.base / "model.py").exists()


def test_answers_written_beside_a_sample_must_be_the_originals(
    first_target: Path, tmp_path: Path
) -> None:
    spec = SourceSpec(str(zoo.convnet(tmp_path / "convnet.onnx")), tmp_path)
    image = np.ones((1, 3, 8, 8), np.float32)
    logits = frontends.load(spec).run({"image": image})["logits"]
    (tmp_path / "samples").mkdir()

    def built(logits: Array, **more: object) -> Verdict:
        np.savez(tmp_path / "samples" / "cat.npz", image=image, logits=logits)
        job = job_of(spec, tmp_path / "out", samples=tmp_path / "samples", **more)
        return pipeline.build(job, Workspace(tmp_path / "workspace"), reuse=False).verdict

    assert built(logits * np.float32(1 + 1e-4)) is Verdict.PASS
    with pytest.raises(UnsupportedModel, match="does not give the logits that sample cat expects"):
        built(-logits)
    with pytest.raises(UnsupportedModel, match="sample cat expects"):
        built(logits * np.float32(1 + 1e-4), expects={"logits": Tolerance(1e-6, 0.0, 0.0, 0.0)})


@pytest.mark.parametrize("travels", ["synthetic", "none"])
def test_samples_are_judged_and_do_not_travel_where_they_may_not(
    travels: str, tmp_path: Path
) -> None:
    spec = SourceSpec(source=str(zoo.convnet(tmp_path / "convnet.onnx")), base=tmp_path)
    samples = tmp_path / "samples"
    samples.mkdir()
    (spec_of_input,) = frontends.load(spec, Workspace(tmp_path / "w")).signature.inputs
    shape = [1 if isinstance(dim, str) else dim for dim in spec_of_input.shape]
    np.savez(samples / "jane.npz", **{spec_of_input.name: np.ones(shape, np.float32)})
    job = dataclasses.replace(job_of(spec, tmp_path / "out"), samples=samples)
    job = dataclasses.replace(job, target=job.target.model_copy(update={"golden": travels}))
    outcome = pipeline.build(job, Workspace(tmp_path / "w"))
    calls = {check.call.name for check in bundles.read_golden(outcome.bundle)}
    assert "jane/0" not in calls
    assert bool(calls) is (travels != "none")
    judged = {p.call for row in outcome.report.rows for p in row.parity}
    assert len([call for call in judged if call.startswith("withheld-")]) >= 1
    for file in outcome.bundle.path.iterdir():
        assert b"jane" not in file.read_bytes(), file
        assert file.stat().st_mode & 0o044, f"{file} can be read by its owner alone"
    assert "are not in this folder" in " ".join(outcome.bundle.manifest.notes)
    again = pipeline.verify_folder(outcome.bundle.path, Workspace(tmp_path / "w"))
    assert again.verdict is (Verdict.PASS if calls else Verdict.NOT_RUN)
