"""A bundle of a model that sees, from a torch module to a verdict: its lanes, its folder, a phone.

One is built for all of these tests; from raw bytes its own Kotlin runs on a JVM around the .ptl.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import api, pipeline
from deploy_targets import bundle as bundles
from deploy_targets.errors import NotRun, ToolMissing, UnsupportedModel
from deploy_targets.parity.recorded import recording
from deploy_targets.phones.runner import RuntimeRefused, started
from deploy_targets.pipeline import Outcome
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import (
    BYTES,
    TENSORS,
    Answer,
    Call,
    Dialect,
    Graph,
    Prepared,
    Signature,
    TensorSpec,
)
from deploy_targets.runtime import Runner
from deploy_targets.targets.pytorch_mobile import places
from deploy_targets.targets.pytorch_mobile.places import WORLD
from deploy_targets.targets.pytorch_mobile.target import PytorchMobile
from deploy_targets.testing import media_zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]
LANE = "lite-interpreter"


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    project = tmp_path_factory.mktemp("eye") / "eye"
    media_zoo.write(project, "eye")
    return api.build(project, target="pytorch_mobile", reuse=False)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with started(WORLD, Workspace()) as runner:
        yield runner


@pytest.fixture(scope="module")
def asked(eye: Outcome, runner: Runner) -> dict[str, Answer | str]:
    """What one session answers, or why it does not: to all golden questions and to wrong ones."""
    golden = [check.call for check in bundles.read_golden(eye.bundle) if check.golden == TENSORS]
    (right, *_) = golden
    image = right.inputs["image"]
    wrong = (
        dataclasses.replace(right, name="no entry", entry="backward"),
        Call("no name", right.entry, {"photo": image}),
        Call("no dtype", right.entry, {"image": image.astype(np.float64)}),
        Call("no rank", right.entry, {"image": image[0]}),
        Call("no size", right.entry, {"image": image[:, :1]}),
    )
    found: dict[str, Answer | str] = {}
    with runner.open(eye.bundle, LANE) as session:
        for call in (*wrong, *golden):
            try:
                found[call.name] = session.run(call)
            except RuntimeRefused as error:
                found[call.name] = str(error)
    return found


def readme(eye: Outcome) -> str:
    return (eye.bundle.path / "README.md").read_text(encoding="utf-8")


def test_it_passes_from_tensors_and_from_bytes(eye: Outcome) -> None:
    rows = {row.golden: row for row in eye.report.rows if row.lane == LANE}
    assert {name: row.verdict for name, row in rows.items()} == {
        TENSORS: Verdict.PASS,
        BYTES: Verdict.PASS,
    }
    for row in rows.values():
        assert len({parity.call for parity in row.parity}) > 5
        assert max(parity.relative_l2 for parity in row.parity) < 1e-5
    assert eye.bundle.manifest.capture == "torchscript by trace"


def test_a_row_says_what_ran_and_what_it_took(eye: Outcome) -> None:
    (row,) = [row for row in eye.report.rows if (row.lane, row.golden) == (LANE, TENSORS)]
    wanted = r"PyTorch 2\.\d+\.\d+ lite interpreter, 1 thread, Python 3\.\d+\.\d+ on "
    assert re.match(wanted, row.where)
    assert row.seconds is not None
    assert 0 < row.seconds < 1
    (note,) = row.notes
    found = re.match(r"loaded in (\d+) ms; memory at its peak (\d+) MB, (\d+) MB of it", note)
    assert found
    # PyTorch itself is no part of what loading the file takes.
    assert 100 < int(found[3]) <= int(found[2])


def test_the_batch_stays_dynamic_in_its_one_entry(eye: Outcome) -> None:
    entries = {entry.golden: entry for entry in eye.bundle.manifest.entries}
    assert entries[TENSORS].name == "forward"
    assert entries[TENSORS].inputs[0].spec.shape == ("batch", 3, 64, 96)
    assert eye.bundle.manifest.uncovered == ()


def test_a_session_refuses_other_tensors_and_answers_on(asked: dict[str, Answer | str]) -> None:
    for name, why in {
        "no entry": "no method 'backward'; it has ['forward', 'predict']",
        "no name": "{'photo': 'float32 of rank 4'}",
        "no dtype": "{'image': 'float64 of rank 4'}",
        "no rank": "{'image': 'float32 of rank 3'}",
        "no size": "to have 3 channels, but got 1 channels",
    }.items():
        said = asked[name]
        assert isinstance(said, str), name
        assert said.startswith(f"{name}: ")
        assert why in said
    answers = [answer for answer in asked.values() if isinstance(answer, Answer)]
    assert len(answers) > 5
    assert {frozenset(answer.outputs) for answer in answers} == {
        frozenset({"boxes", "scores", "mask"})
    }


def test_a_file_that_is_none_fails(eye: Outcome, runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "model.ptl").write_bytes(b"no model at all")
    manifest = (eye.bundle.path / bundles.MANIFEST).read_bytes()
    (tmp_path / bundles.MANIFEST).write_bytes(manifest)
    broken = dataclasses.replace(eye.bundle, path=tmp_path)
    with pytest.raises(RuntimeRefused, match="the file was not loaded"):
        runner.open(broken, LANE).__enter__()


def test_a_phone_is_not_run_and_is_judged_by_what_it_answered(
    eye: Outcome, runner: Runner, asked: dict[str, Answer | str], tmp_path: Path
) -> None:
    with pytest.raises(NotRun, match="asked elsewhere") as not_run:
        runner.open(eye.bundle, "android").__enter__()
    assert "verify BUNDLE --actual FILE" in not_run.value.hint
    right = {
        f"{name}/{output}": array
        for name, answer in asked.items()
        if isinstance(answer, Answer)
        for output, array in answer.outputs.items()
    }
    wrong = {name: array + np.float32(0.5) for name, array in right.items()}
    for tensors, verdict in ((right, Verdict.PASS), (wrong, Verdict.FAIL)):
        file = tmp_path / f"{verdict}.safetensors"
        told = {"lane": "android", "runtime": "PyTorch Mobile 2.1.0", "device": "a phone"}
        bundles.write_tensors(file, tensors, manifest=bundles.digest(eye.bundle), **told)
        found = recording(file, eye.bundle)
        rows = pipeline.verify_folder(eye.bundle.path, Workspace(), ["android"], found).report.rows
        (row,) = [row for row in rows if (row.lane, row.golden) == ("android", TENSORS)]
        assert row.verdict is verdict
        assert row.where == "PyTorch Mobile 2.1.0 on a phone (recorded)"


def test_without_pytorch_the_lane_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolMissing, match="not installed") as missing:
        places.here(Workspace(), tmp_path)
    assert "deploy-targets[torch]" in missing.value.hint


def test_the_folder_holds_the_model_once_and_an_android_project(eye: Outcome) -> None:
    folder = eye.bundle.path
    tops = {path.name for path in folder.iterdir()}
    own = {"model.ptl", "android", "steps.json", "README.md", "LICENSE"}
    assert tops == own | {"deploy-target.json", "golden.safetensors", "parity.json"}
    roles = {name: file.role for name, file in eye.bundle.manifest.files.items()}
    assert roles["model.ptl"] == "model"
    assert roles["README.md"] == "doc"
    assert [name for name in roles if name.endswith(".ptl")] == ["model.ptl"]
    engines = folder / "android/deploytarget/src/main/kotlin/dev/deploytarget/Engines.kt"
    assert "org.pytorch.LiteModuleLoader" in engines.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "said",
    [
        "**PyTorch Mobile is legacy.**",
        "`--target executorch`: its folder takes the place of this one",
        "not aligned to pages of 16 KB",
        "| in | `image` | float32 | batch x 3 x 64 x 96 |",
        "`batch` may be 1 to 4",
        'includeBuild("eye/android")',
        "val answer = model.predict(bytes)",
        "There is no project for iOS",
        "has bytecode version 8. PyTorch 2.1, and so `pytorch_android_lite` 2.1.0, reads the "
        "versions 4 to 9",
        "    aten::_convolution\n",
        "takes `image` float32 batch x 3 x 64 x 96, in this order, and gives a tuple of `boxes`",
        "`lite-interpreter`, `android`",
        "What was not compiled",
    ],
)
def test_the_readme_says(eye: Outcome, said: str) -> None:
    assert " ".join(said.split()) in " ".join(readme(eye).split())


def test_every_path_that_the_readme_names_is_there(eye: Outcome) -> None:
    named = re.findall(r"`(android(?:/[\w.]+)*/?)`", readme(eye))
    assert len(named) > 4
    assert [name for name in named if not (eye.bundle.path / name).exists()] == []


def test_the_build_says_that_it_is_legacy_and_what_the_file_needs(eye: Outcome) -> None:
    notes = eye.bundle.manifest.notes
    assert any(note.startswith("legacy: ") and "executorch" in note for note in notes)
    assert any(re.fullmatch(r"it has bytecode version \d and uses \d+ operators", n) for n in notes)
    assert "legacy" in (PytorchMobile.__doc__ or "").lower()


def test_datatypes_that_no_android_holds_are_refused_before_anything_is_captured() -> None:
    spec = TensorSpec("x", "bfloat16", (1,))
    graph = Graph(Dialect.TORCHSCRIPT, Path("nowhere"), "", "trace")
    prepared = Prepared("m", Signature((spec,), (spec,)), graph, RECIPES["fp32"])
    with pytest.raises(UnsupportedModel, match="x is bfloat16, which the Android API"):
        pipeline.refuse(prepared, PytorchMobile(), captured=False)


def test_doctor_names_pytorch_and_java() -> None:
    needs = {need.tool: need for need in PytorchMobile.needs()}
    assert needs["torch"].found
    assert all(need.purpose and need.hint for need in (needs["torch"], needs["java"]))
