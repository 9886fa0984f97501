"""A user's own steps: from deploy.toml through a whole build, in a target that runs them."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from deploy_targets import api, config, frontends, pipeline, rebuild
from deploy_targets import bundle as bundles
from deploy_targets.errors import ConfigError, ParityFailed, UnsupportedModel
from deploy_targets.explaining import steps as explaining
from deploy_targets.explaining.question import questions
from deploy_targets.frontends import own
from deploy_targets.parity.verify import Recorded, answers
from deploy_targets.pipeline import Job
from deploy_targets.records import BYTES, TENSORS, DynamicAxis, Signature, TensorSpec
from deploy_targets.stages import plan as plans
from deploy_targets.stages import tables
from deploy_targets.stages import variants as mistakes
from deploy_targets.stages.mask import MaskAfter
from deploy_targets.testing import zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace
from tests.stages.beside import Beside, Runner

pytestmark = pytest.mark.usefixtures("first_target")

GAMMA = """
from pathlib import Path
import torch
from torch import nn

class Gamma(nn.Module):
    def __init__(self):
        super().__init__()
        self.gamma = nn.Parameter(torch.tensor([0.5, 1.5, 2.25]))

    def forward(self, image):
        return image.clamp_min(1e-3) ** self.gamma[:, None, None]

def gamma():
    return Gamma().eval()

def training():
    return Gamma()

def grey():
    class Grey(nn.Module):
        def forward(self, image):
            return image.mean(1, keepdim=True)
    return Grey().eval()
"""

KEPT = """
import torch
from torch import nn

class Kept(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.load("{weights}"))

    def forward(self, image):
        return image * self.weight[:, :1, None]

def kept():
    return Kept().eval()
"""

STEPS = """
import numpy as np

def flipped(pixels):
    return pixels[:, ::-1]

def same(pixels):
    return pixels

def thinned(pixels):
    return pixels[::2]

def softened(tensor):
    return np.tanh(tensor)

def in_float(pixels):
    return pixels / 2

def broken(pixels):
    print("looking")
    return pixels[:, :, 7]

def writes(pixels):
    pixels[...] = 255 - pixels
    return pixels
"""

TOML = """
source = "model.onnx"
batch = "B"
[axes]
B = [1, 4]
[inputs.image]
shape = ["B", 3, 8, 8]
[inputs.image.preprocess]
type = "image"
resize = { to = [8, 8] }
scale = 0.00392156862745098
"""


def job(folder: Path, own: str, toml: str = TOML) -> Job:
    """A project of code and one declared step (or more), for the target that runs it."""
    folder.mkdir(exist_ok=True)
    zoo.convnet(folder / "model.onnx")
    for name, text in (("gamma.py", GAMMA), ("steps.py", STEPS)):
        (folder / name).write_text(text)
    steps = "".join(f"[[inputs.image.preprocess.own]]\n{s}\n" for s in own.split("---"))
    (folder / "deploy.toml").write_text(toml + textwrap.dedent(steps))
    settings = config.read(folder / "deploy.toml")
    return Job(api.spec_of(settings), Beside(), folder / "out", steps=api.steps_of(settings))


def built(folder: Path, workspace: Workspace, own: str) -> pipeline.Outcome:
    return pipeline.build(job(folder, own), workspace)


GAMMA_STEP = 'module = "gamma.py:gamma"'
FLIP_STEP = 'after = "decode"\npython = "steps.py:flipped"\nhere = "steps.py:flipped"'


def test_a_torch_module_becomes_a_part_of_the_graph(tmp_path: Path, workspace: Workspace) -> None:
    made = built(tmp_path / "project", workspace, f"{FLIP_STEP}\n---\n{GAMMA_STEP}")
    assert made.verdict is Verdict.PASS
    assert {row.golden for row in made.report.rows} == {TENSORS, BYTES}
    stages = made.bundle.manifest.stages
    assert [(stage.op, stage.where) for stage in stages] == [
        ("decode_image", "host"),
        ("own", "host"),
        ("resize", "graph"),
        ("scale", "graph"),
        ("layout", "graph"),
        ("module", "graph"),
    ]
    assert stages[-1].options == {"source": "gamma.py:gamma"}
    # Its learned parameter is in the graph; of the user's code the bundle has the counterpart.
    graph = onnx.load(made.bundle.path / "before-0.onnx").graph
    held = [onnx.numpy_helper.to_array(each).ravel().tolist() for each in graph.initializer]
    assert [0.5, 1.5, 2.25] in held
    code = made.bundle.path / "stages_of_a_bundle" / "own_steps"
    assert [file.name for file in code.iterdir()] == ["steps.py"]


def test_functions_with_counterparts_run_on_the_host(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Neither the program nor the target changes between these builds.
    monkeypatch.setattr(rebuild, "program", lambda: "")
    monkeypatch.setattr(rebuild, "_code_of", lambda target: "")
    first = 'after = "decode"\npython = "steps.py:writes"\nhere = "steps.py:writes"'
    # The same function twice, on uint8 pixels and on float32.
    last = 'python = "steps.py:writes"\nhere = "steps.py:writes"'
    made = built(tmp_path / "project", workspace, f"{first}\n---\n{last}")
    assert made.verdict is Verdict.PASS
    stages = made.bundle.manifest.stages
    assert [s.op for s in stages] == ["decode_image", "own", "resize", "scale", "layout", "own"]
    assert {s.where for s in stages} == {"host"}
    assert stages[1].options["counterpart"] == "steps.py:writes"
    assert built(tmp_path / "project", workspace, f"{first}\n---\n{last}").cached


def test_a_missing_counterpart_is_refused_and_not_left_out(
    tmp_path: Path, workspace: Workspace
) -> None:
    step = 'after = "decode"\npython = "steps.py:flipped"\nlambda = "steps.py:flipped"'
    with pytest.raises(UnsupportedModel, match=r"steps.py:flipped.*here has no counterpart") as e:
        built(tmp_path / "project", workspace, step)
    assert e.value.exit_code == 3
    assert 'here = "FILE:FUNCTION"' in e.value.hint
    assert "module" in e.value.hint


def test_a_plan_without_the_counterpart_is_refused_too(tmp_path: Path) -> None:
    steps = job(tmp_path / "project", FLIP_STEP).steps
    signature = _signature()
    for target, refused in (("here", False), ("lambda", True), ("", True)):
        staging = tables.staging(signature, steps.before, {}, tmp_path, target)
        if not refused:
            assert plans.plan(staging).before["image"].host[1].op == "own"
            continue
        with pytest.raises(UnsupportedModel, match="no counterpart"):
            plans.plan(staging)


@pytest.mark.parametrize(
    ("other", "steps", "said", "untold"),
    [
        ("same", ("no-flipped",), "image: .* as if the own step 'flipped' is left out", "^$"),
        ("writes", (), "none of the usual", "whether your own step steps.py:writes does as steps"),
    ],
)
def test_a_counterpart_that_answers_otherwise_fails_from_bytes_and_is_explained(
    tmp_path: Path, workspace: Workspace, other: str, steps: tuple[str, ...], said: str, untold: str
) -> None:
    step = f'after = "decode"\npython = "steps.py:flipped"\nhere = "steps.py:{other}"'
    with pytest.raises(ParityFailed):
        built(tmp_path / "project", workspace, step)
    refused = bundles.open_bundle(tmp_path / "project" / "out.refused")
    report = bundles.read_report(refused)
    assert report is not None
    assert {row.golden: row.verdict for row in report.rows} == {
        TENSORS: Verdict.PASS,
        BYTES: Verdict.FAIL,
    }
    came = {check.call.name: answer for check, answer in answers(refused, Runner(), "python")}
    recorded = Recorded("here", "python", came)
    found = explaining.explain(questions(refused, report), recorded, workspace)
    assert found.steps == steps
    assert re.search(said, found.said)
    assert re.search(untold, "".join(found.untold[:1]))


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("broken", r"steps.py:broken raised IndexError.*steps.py, line \d+: return pixels"),
        ("in_float", r"gave float64\[.*was given uint8.*expected its dtype and rank"),
        ("flippd", r"there is no 'flippd'"),
    ],
)
def test_what_goes_wrong_in_a_function_is_said_with_its_line(
    tmp_path: Path, workspace: Workspace, step: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    declared = f'after = "decode"\npython = "steps.py:{step}"\nhere = "steps.py:flipped"'
    with pytest.raises(ConfigError, match=said):
        built(tmp_path / "project", workspace, declared)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("callee", "said"),
    [("training", "training mode"), ("grey", r"gives float32\['B', 1, 8, 8\]; image is")],
)
def test_a_module_that_does_not_fit_is_refused(
    tmp_path: Path, workspace: Workspace, callee: str, said: str
) -> None:
    with pytest.raises(UnsupportedModel, match=said):
        built(tmp_path / "project", workspace, f'module = "gamma.py:{callee}"')


def test_a_counterpart_that_imports_what_is_not_there_is_refused(
    tmp_path: Path, workspace: Workspace
) -> None:
    step = 'python = "steps.py:softened"\nhere = "gamma.py:gamma"'
    with pytest.raises(UnsupportedModel, match=r"gamma.py imports torch") as refused:
        built(tmp_path / "project", workspace, step)
    assert "numpy alone" in refused.value.hint


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ('pythn = "steps.py:flipped"', "expected one of python"),
        ('python = "a.py:f"\nlamda = "a.py:f"', "'lamda' is neither .* did you mean 'lambda'"),
        ('module = "a.py:f"\nafter = "decode"', "a module runs on the model's tensor"),
        ('module = "a.py:f"\nlambda = "a.py:f"', "the same in every target"),
        ('module = "a.py:f"\npython = "a.py:f"', "expected one of python"),
        ('python = "a.py:f"\nlambda = "a.py"', 'expected "file:function"'),
    ],
)
def test_a_step_that_is_declared_wrongly_is_refused(tmp_path: Path, step: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        job(tmp_path / "project", step)


def test_a_changed_step_is_noticed_and_an_unchanged_one_is(
    tmp_path: Path, workspace: Workspace
) -> None:
    asked = job(tmp_path / "project", f"{FLIP_STEP}\n---\n{GAMMA_STEP}")
    before = rebuild.stamp(asked)
    assert rebuild.stamp(job(tmp_path / "project", f"{FLIP_STEP}\n---\n{GAMMA_STEP}")) == before
    for name, text in (("steps.py", STEPS), ("gamma.py", GAMMA)):
        file = tmp_path / "project" / name
        file.write_text(text + "\n# changed\n")
        assert rebuild.stamp(asked) != before
        file.write_text(text)
    (tmp_path / "project" / "gamma.pt").write_bytes(b"weights")
    assert rebuild.stamp(asked) != before


def test_a_module_is_told_unchanged_by_what_it_read_wherever_that_lies(
    tmp_path: Path, workspace: Workspace
) -> None:
    weights = tmp_path / "elsewhere.pt"
    torch.save(torch.linspace(0.5, 3, 96).reshape(3, 32), weights)
    asked = job(tmp_path / "project", 'module = "kept.py:kept"')
    (tmp_path / "project" / "kept.py").write_text(KEPT.format(weights=weights))
    (spec,) = asked.steps.modules
    assert frontends.recall(spec, workspace) is None
    model = own.module(spec.source, spec.base, _signature().inputs[0], _signature(), workspace)
    assert frontends.recall(spec, workspace) == model.digest
    torch.save(torch.linspace(0.5, 4, 96).reshape(3, 32), weights)
    assert frontends.recall(spec, workspace) is None


def test_leaving_an_own_step_out_is_one_of_the_usual_mistakes(tmp_path: Path) -> None:
    steps = job(tmp_path / "project", f"{FLIP_STEP}\n---\n{GAMMA_STEP}").steps
    stages = tables.staging(_signature(), steps.before, {}, tmp_path, "here").stages
    said = {found.name: found for found in mistakes.variants(stages)}
    assert said["no-flipped"].said == "the own step 'flipped' is left out"
    assert [s.op for s in said["no-gamma"].stages] == [s.op for s in stages[:-1]]


def test_where_answers_go_back_to_the_photo_its_size_is_kept(tmp_path: Path) -> None:
    step = 'after = "decode"\npython = "steps.py:thinned"\nhere = "steps.py:thinned"'
    steps = job(tmp_path / "project", step).steps
    photo = np.zeros((6, 8, 3), np.uint8)
    for after in ({}, {"mask": MaskAfter(type="mask", input="image")}):
        stage = tables.staging(_signature(), steps.before, after, tmp_path, "here").of("image")[1]
        call = own.function(stage.options, tmp_path / "project")
        if not after:
            assert call(photo, None, 0).shape == (3, 8, 3)
            continue
        with pytest.raises(ConfigError, match="later steps count on it"):
            call(photo, None, 0)


def _signature() -> Signature:
    return Signature(
        (TensorSpec("image", "float32", ("B", 3, 8, 8)),),
        (TensorSpec("mask", "float32", ("B", 4, 8, 8)),),
        (DynamicAxis("B", 1, 4),),
        "B",
    )
