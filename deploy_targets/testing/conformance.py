"""What every target promises. Subclass it in a test file and say which target:

    class TestJetson(TargetConformance):
        @pytest.fixture(scope="class")
        @classmethod
        def target(cls) -> Target:
            return registry.load("jetson")

The target's real runtime is used. Where it cannot be had on this machine the tests that need it
fail; a target that can be verified elsewhere only overrides `runs_here`.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy_targets import bundle as bundles
from deploy_targets import frontends, pipeline
from deploy_targets.choose import Attempt, world
from deploy_targets.errors import BundleCorrupt
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.parity.rows import overall
from deploy_targets.parity.verify import verify
from deploy_targets.pipeline import Job
from deploy_targets.records import Bundle, Capture, Golden, Graph, Prepared
from deploy_targets.runtime import Runner
from deploy_targets.targets.base import Target
from deploy_targets.testing import faults, zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

SDKS = ("torch", "tensorflow", "onnx", "onnxruntime", "fastapi", "playwright")


class TargetConformance:
    """Ten promises; every one of them can be broken by a target."""

    runs_here = True
    """Whether the target's runtime can be had on the machine that runs these tests."""

    @pytest.fixture(scope="class")
    @classmethod
    def target(cls) -> Target:
        """The target to test; override it."""
        raise NotImplementedError("override the fixture `target`")

    @pytest.fixture(scope="class")
    @classmethod
    def workspace(cls) -> Workspace:
        """The user's own, so that what is large is made once."""
        return Workspace()

    @pytest.fixture(scope="class")
    @classmethod
    def place(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A folder for the bundles of one class."""
        return tmp_path_factory.mktemp("conformance")

    @pytest.fixture(scope="class")
    @classmethod
    def job(cls, target: Target, place: Path) -> Job:
        """A small convolutional model with two outputs and a dynamic batch."""
        spec = SourceSpec(source=str(zoo.convnet(place / "convnet.onnx")), base=place)
        return Job(spec, target, place / "bundle")

    @pytest.fixture(scope="class")
    @classmethod
    def outcome(cls, job: Job, workspace: Workspace) -> pipeline.Outcome:
        """The model built honestly."""
        return pipeline.build(job, workspace, reuse=False)

    @pytest.fixture(scope="class")
    @classmethod
    def runner(cls, target: Target, workspace: Workspace) -> Iterator[Runner]:
        """The target's started world."""
        with world(target.choices()[0], workspace) as runner:
            yield runner

    def test_a_right_artifact_is_accepted(self, outcome: pipeline.Outcome) -> None:
        assert outcome.verdict is (Verdict.PASS if self.runs_here else Verdict.NOT_RUN)
        assert outcome.report.rows

    def test_every_case_is_covered(self, outcome: pipeline.Outcome) -> None:
        assert outcome.bundle.manifest.uncovered == ()

    def test_the_folder_alone_can_be_verified_again(
        self, outcome: pipeline.Outcome, workspace: Workspace, place: Path
    ) -> None:
        moved = place / "received elsewhere"
        shutil.copytree(outcome.bundle.path, moved)
        again = pipeline.verify_folder(moved, workspace)
        assert again.verdict is outcome.verdict

    def test_one_changed_byte_is_refused(self, outcome: pipeline.Outcome, place: Path) -> None:
        files = outcome.bundle.manifest.files
        name = next(name for name, record in files.items() if record.role == "model")
        flip, copy = faults.FAULTS["bit_flipped"], place / "changed"
        assert faults.in_file(outcome.bundle, name, flip, copy, 1) == copy
        with pytest.raises(BundleCorrupt, match=name):
            bundles.open_bundle(copy)

    @pytest.mark.parametrize(
        "name", ["nan_in_one_element", "batch_reversed", "output_missing", "dtype_changed"]
    )
    def test_a_session_with_a_fault_is_refused(
        self, outcome: pipeline.Outcome, runner: Runner, name: str, place: Path
    ) -> None:
        self._needs_runtime()
        planted = faults.plant(faults.FAULTS[name], outcome.bundle, runner, place / name)
        assert planted
        rows = verify(outcome.bundle, planted.runner)
        assert overall(outcome.bundle.manifest.lanes, rows) is Verdict.FAIL

    def test_an_artifact_built_from_a_wrong_weight_is_refused(
        self, job: Job, runner: Runner, workspace: Workspace, place: Path
    ) -> None:
        self._needs_runtime()
        with sabotaged(job, workspace, place / "wrong weight") as bundle:
            rows = verify(bundle, runner)
        assert overall(bundle.manifest.lanes, rows) is Verdict.FAIL

    def test_two_builds_in_two_folders_give_the_same_bytes(
        self, outcome: pipeline.Outcome, job: Job, workspace: Workspace, place: Path
    ) -> None:
        other = place / "another" / "folder"
        other.mkdir(parents=True)
        model = shutil.copy(job.spec.source, other)
        spec = dataclasses.replace(job.spec, source=str(model), base=other)
        again = pipeline.build(
            dataclasses.replace(job, spec=spec, out=other / "bundle"), workspace, reuse=False
        )
        assert again.bundle.manifest.files == outcome.bundle.manifest.files
        assert bundles.digest(again.bundle) == bundles.digest(outcome.bundle)

    def test_the_manifest_holds_no_path_of_this_machine(
        self, outcome: pipeline.Outcome, place: Path
    ) -> None:
        text = (outcome.bundle.path / bundles.MANIFEST).read_text()
        for path in (place, Path.home(), Path(sys.prefix)):
            assert str(path) not in text

    def test_importing_the_target_loads_no_sdk(self, target: Target) -> None:
        code = (
            f"import sys, {type(target).__module__}\n"
            f"print(*(sdk for sdk in {SDKS!r} if sdk in sys.modules))"
        )
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-c", code]
        run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        assert run.stdout.split() == []

    def test_a_bundle_explains_itself(self, outcome: pipeline.Outcome) -> None:
        text = (outcome.bundle.path / "README.md").read_text()
        assert outcome.bundle.manifest.name in text

    def _needs_runtime(self) -> None:
        if not self.runs_here:
            pytest.skip("this target's runtime cannot be had on this machine")


@contextmanager
def sabotaged(job: Job, workspace: Workspace, folder: Path) -> Iterator[Bundle]:
    """A sealed bundle built from a graph with one wrong weight; golden is the original's."""
    model = frontends.load(job.spec, workspace)
    known = pipeline.record(model, job)
    target = job.target.choices()[0]
    how = next(how for how in model.captures if how.dialect in target.dialects)
    honest = pipeline.capture(model, how, workspace)
    with workspace.scratch() as spoilt:
        wrong = faults.FAULTS["one_weight_changed"]
        graph = faults.in_graph(honest, wrong, spoilt, 0.05)
        assert graph
        yield _build(job, target, how, graph, known, folder, workspace)


def _build(
    job: Job,
    target: Target,
    how: Capture,
    graph: Graph,
    known: Sequence[Golden],
    folder: Path,
    workspace: Workspace,
) -> Bundle:
    prepared = Prepared("spoilt", known[0].signature, graph, job.recipe)
    return pipeline.seal(prepared, known, job, Attempt(target, how, folder), workspace)
