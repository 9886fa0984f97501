"""The Lambda target keeps every target's promises, in AWS's own emulator."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from deploy_targets import bundle as bundles
from deploy_targets import pipeline, registry
from deploy_targets.errors import OverBudget, ToolMissing
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.integrations import interpreters
from deploy_targets.parity.verify import verify
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.records import DynamicAxis, TensorSpec
from deploy_targets.targets.aws_lambda.runner import LambdaRunner
from deploy_targets.targets.base import Target
from deploy_targets.testing import zoo
from deploy_targets.testing.conformance import TargetConformance
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace


class TestLambda(TargetConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def target(cls) -> Target:
        return registry.load("lambda")


@pytest.fixture(scope="module")
def convnet(tmp_path_factory: pytest.TempPathFactory) -> SourceSpec:
    """A small model, as a file."""
    home = tmp_path_factory.mktemp("convnet")
    return SourceSpec(source=str(zoo.convnet(home / "convnet.onnx")), base=home)


def built(spec: SourceSpec, out: Path, **options: object) -> Outcome:
    """A fresh bundle with these options."""
    job = Job(spec, registry.load("lambda", options), out)
    return pipeline.build(job, Workspace(), reuse=False)


def test_an_arm64_bundle_answers_right_under_emulation(convnet: SourceSpec, tmp_path: Path) -> None:
    outcome = built(convnet, tmp_path / "out", arch="arm64", flavor="lean")
    (row,) = outcome.report.rows
    assert outcome.verdict is Verdict.PASS, row.reason
    assert "arm64 emulated by qemu" in row.where
    assert row.seconds is None, "times under emulation mean nothing"


def test_cases_beyond_the_payload_limit_are_listed_as_not_covered(tmp_path: Path) -> None:
    large = TensorSpec("x", "float32", ("batch", 500_000))
    (tmp_path / "model.py").write_text(DOUBLES)
    axes = (DynamicAxis("batch", 1, 5),)
    spec = SourceSpec("model.py:build", tmp_path, inputs=(large,), axes=axes, batch="batch")
    outcome = built(spec, tmp_path / "out", memory_mb=1024)
    assert outcome.verdict is Verdict.PASS
    assert any(
        "batch-5: 10,000,000 bytes of inputs" in c for c in outcome.bundle.manifest.uncovered
    )
    covered = {p.call for row in outcome.report.rows for p in row.parity}
    sized = {call for call in covered if not call.startswith("probe-")}
    assert sized == {"batch-1/0", "batch-2/0"}


DOUBLES = """
import torch

class Doubles(torch.nn.Module):
    def forward(self, x):
        return (x * 2).sum(1, keepdim=True)

def build():
    return Doubles().eval()
"""


def test_a_function_that_cannot_start_fails_and_shows_its_log(
    convnet: SourceSpec, tmp_path: Path
) -> None:
    bundle = built(convnet, tmp_path / "out", flavor="lean").bundle
    spoil(bundle.path / "function.zip", "model.onnx", b"no model at all")
    resealed = bundles.seal(bundle.path, bundle.manifest, {"function.zip": "model"})
    (row,) = verify(resealed, LambdaRunner(Workspace()))
    assert row.verdict is Verdict.FAIL
    assert "model.onnx" in row.reason
    assert "/var/task" not in row.reason.partition("\n")[0]


def spoil(archive: Path, name: str, raw: bytes) -> None:
    """Replaces one file in a zip."""
    with zipfile.ZipFile(archive) as old:
        contents = {info: old.read(info) for info in old.infolist()}
    with zipfile.ZipFile(archive, "w") as new:
        for info, content in contents.items():
            new.writestr(info, raw if info.filename == name else content)


def test_a_model_larger_than_lambda_allows_is_refused_with_a_table(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(HEAVY)
    inputs = (TensorSpec("x", "float32", (1, 7000)),)
    spec = SourceSpec("model.py:build", tmp_path, inputs=inputs)
    with pytest.raises(OverBudget, match=r"262,144,000(.|\n)*model\.onnx") as error:
        built(spec, tmp_path / "out")
    assert error.value.exit_code == 9
    assert not (tmp_path / "out").exists()


HEAVY = """
import torch

def build():
    torch.manual_seed(0)
    return torch.nn.Linear(7000, 7000).eval()
"""


def test_a_python_that_is_not_here_is_named(convnet: SourceSpec, tmp_path: Path) -> None:
    if interpreters.find("3.14"):
        pytest.skip("this machine has every Python of Lambda")
    with pytest.raises(ToolMissing, match=r"Python 3\.14 was not found") as error:
        built(convnet, tmp_path / "out", python="3.14")
    assert "uv python install 3.14" in error.value.hint


def test_the_readme_of_a_bundle_says_how_to_deploy_and_ask_it(
    convnet: SourceSpec, tmp_path: Path
) -> None:
    text = (built(convnet, tmp_path / "out", flavor="lean").bundle.path / "README.md").read_text()
    for expected in ("app.handler", "x86_64", "| in | `image` |", "/predict", "1769 MB"):
        assert expected in text
    assert "{{" not in text
