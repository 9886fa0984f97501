"""A bundle of a model that sees, from a torch module to a verdict: its lanes, its folder, a phone.

One is built for all of these tests; from raw bytes its own Kotlin runs on a JVM around the .pte.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import api, pipeline
from deploy_targets import bundle as bundles
from deploy_targets.errors import NotRun
from deploy_targets.parity.recorded import recording
from deploy_targets.phones.runner import RuntimeRefused, started
from deploy_targets.pipeline import Outcome
from deploy_targets.records import BYTES, TENSORS, Answer, Call
from deploy_targets.runtime import Runner
from deploy_targets.targets.executorch.places import DEVICES, WORLD
from deploy_targets.testing import media_zoo
from deploy_targets.verdicts import Row, Verdict
from deploy_targets.workspace import Workspace

REQUIRED = ("xnnpack-1t", "xnnpack-2t")


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    project = tmp_path_factory.mktemp("eye") / "eye"
    media_zoo.write(project, "eye")
    return api.build(project, target="executorch", reuse=False)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with started(WORLD, Workspace()) as runner:
        yield runner


@pytest.fixture(scope="module")
def asked(eye: Outcome, runner: Runner) -> dict[str, Answer | str]:
    """What one session answers, or why it does not: to right questions and to wrong ones."""
    (right, *_) = (c.call for c in bundles.read_golden(eye.bundle) if c.golden == TENSORS)
    image = right.inputs["image"]
    calls = {
        "right": right,
        "no entry": dataclasses.replace(right, entry="backward"),
        "no name": Call("a/0", right.entry, {"photo": image}),
        "no dtype": Call("b/0", right.entry, {"image": image.astype(np.float64)}),
        "no rank": Call("c/0", right.entry, {"image": image[0]}),
        # The runtime itself would take both of these.
        "too small": Call("d/0", right.entry, {"image": image[:, :, :32]}),
        "no rows": Call("e/0", right.entry, {"image": image[:0]}),
        "too many": Call("f/0", right.entry, {"image": np.repeat(image[:1], 5, 0)}),
        "right again": right,
    }
    found: dict[str, Answer | str] = {}
    with runner.open(eye.bundle, "xnnpack-1t") as session:
        for name, call in calls.items():
            try:
                found[name] = session.run(call)
            except RuntimeRefused as error:
                found[name] = str(error)
    return found


def row(eye: Outcome, lane: str, golden: str = TENSORS) -> Row:
    (found,) = [row for row in eye.report.rows if (row.lane, row.golden) == (lane, golden)]
    return found


def readme(eye: Outcome) -> str:
    return (eye.bundle.path / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("golden", [TENSORS, BYTES])
@pytest.mark.parametrize("lane", REQUIRED)
def test_it_passes_from_tensors_and_from_bytes(eye: Outcome, lane: str, golden: str) -> None:
    found = row(eye, lane, golden)
    assert found.verdict is Verdict.PASS
    assert len({parity.call for parity in found.parity}) > 5
    assert max(parity.relative_l2 for parity in found.parity) < 1e-5


@pytest.mark.parametrize(
    ("lane", "threads"), [("xnnpack-1t", "1 thread"), ("xnnpack-2t", "2 threads")]
)
def test_a_row_says_what_ran_and_what_it_took(eye: Outcome, lane: str, threads: str) -> None:
    found = row(eye, lane)
    assert re.match(rf"ExecuTorch 1\.5\.1, XNNPACK, {threads}, Python 3\.\d+\.\d+ on ", found.where)
    took = re.search(r"loaded in (\d+) ms; memory at its peak (\d+) MB, (\d+) MB of it", str(found))
    assert took
    # PyTorch and the runtime's own libraries are no part of what loading the file takes.
    assert 100 < int(took[3]) <= int(took[2])


def test_the_batch_stays_dynamic_in_its_one_entry(eye: Outcome) -> None:
    entries = {entry.golden: entry for entry in eye.bundle.manifest.entries}
    assert entries[TENSORS].name == "forward"
    assert entries[TENSORS].inputs[0].spec.shape == ("batch", 3, 64, 96)
    assert eye.bundle.manifest.uncovered == ()
    calls = [check.call for check in bundles.read_golden(eye.bundle) if check.golden == TENSORS]
    assert len({call.inputs["image"].shape[0] for call in calls}) > 2


def test_a_session_asks_by_name_and_refuses_other_tensors(asked: dict[str, Answer | str]) -> None:
    right, again = asked["right"], asked["right again"]
    assert isinstance(right, Answer)
    assert isinstance(again, Answer)
    assert set(right.outputs) == {"boxes", "scores", "mask"}
    for name, array in right.outputs.items():
        np.testing.assert_array_equal(array, again.outputs[name])
    for name, why in {
        "no entry": "no method 'backward'; it has ['forward']",
        "no name": "was given {'photo': ",
        "no dtype": "was given {'image': 'float64",
        "no rank": "was given {'image': 'float32[3, 64, 96]'}",
        "too small": ", 3, 32, 96]'}",
        "no rows": "was given {'image': 'float32[0, 3, 64, 96]'}",
        "too many": "was given {'image': 'float32[5, 3, 64, 96]'}",
    }.items():
        said = asked[name]
        assert isinstance(said, str), name
        assert why in said


def test_a_file_that_is_none_fails(eye: Outcome, runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "model.pte").write_bytes(b"no model at all")
    manifest = (eye.bundle.path / bundles.MANIFEST).read_bytes()
    (tmp_path / bundles.MANIFEST).write_bytes(manifest)
    broken = dataclasses.replace(eye.bundle, path=tmp_path)
    with pytest.raises(RuntimeRefused, match="the file was not loaded"):
        runner.open(broken, "xnnpack-1t").__enter__()


@pytest.mark.parametrize("lane", DEVICES)
def test_a_phone_is_not_run_and_is_judged_by_what_it_answered(
    eye: Outcome, runner: Runner, asked: dict[str, Answer | str], tmp_path: Path, lane: str
) -> None:
    with pytest.raises(NotRun, match="asked elsewhere") as not_run:
        runner.open(eye.bundle, lane).__enter__()
    assert "verify BUNDLE --actual FILE" in not_run.value.hint
    right = asked["right"]
    assert isinstance(right, Answer)
    (call, *_) = (c.call for c in bundles.read_golden(eye.bundle) if c.golden == TENSORS)
    wrong = {f"{call.name}/{name}": a + np.float32(0.5) for name, a in right.outputs.items()}
    file = tmp_path / "recording.safetensors"
    told = {"lane": lane, "runtime": "ExecuTorch 1.5.1", "device": "a phone"}
    bundles.write_tensors(file, wrong, manifest=bundles.digest(eye.bundle), **told)
    found = recording(file, eye.bundle)
    rows = pipeline.verify_folder(eye.bundle.path, Workspace(), [lane], found).report.rows
    assert Verdict.FAIL in {row.verdict for row in rows if row.lane == lane}


def test_the_folder_holds_the_model_once_and_both_projects(eye: Outcome) -> None:
    folder = eye.bundle.path
    tops = {path.name for path in folder.iterdir()}
    own = {"model.pte", "report.json", "android", "ios", "Package.swift", "steps.json"}
    ours = {"README.md", "LICENSE", "deploy-target.json", "golden.safetensors", "parity.json"}
    assert tops == own | ours
    roles = {name: file.role for name, file in eye.bundle.manifest.files.items()}
    assert roles["model.pte"] == "model"
    assert roles["README.md"] == roles["report.json"] == "doc"
    assert [name for name in roles if name.endswith(".pte")] == ["model.pte"]
    engines = folder / "android/deploytarget/src/main/kotlin/dev/deploytarget/Engines.kt"
    assert "org.pytorch.executorch" in engines.read_text(encoding="utf-8")
    assert "pytorch/executorch" in (folder / "Package.swift").read_text(encoding="utf-8")


def test_the_report_and_the_notes_say_what_xnnpack_computes(eye: Outcome) -> None:
    report = json.loads((eye.bundle.path / "report.json").read_text(encoding="utf-8"))
    assert report["multiply_adds"]["share"] > 0.9
    assert report["delegates"] >= 1
    notes = eye.bundle.manifest.notes
    (line,) = [note for note in notes if note.startswith("delegated to XNNPACK: ")]
    assert f"convolution {report['delegated']['convolution.default']}" in line
    assert [note for note in notes if note.endswith("planned besides the weights")]


@pytest.mark.parametrize(
    "said",
    [
        "| in | `image` | float32 | batch x 3 x 64 x 96 |",
        "`batch` may be 1 to 4 in one call",
        "| `convolution` |",
        'includeBuild("eye/android")',
        "val answer = model.predict(bytes)",
        "let answer = try model.predict(data)",
        "`forward` takes `image` float32 batch x 3 x 64 x 96, in this order, and gives `boxes`",
        "`xnnpack-1t` and `xnnpack-2t`",
        "-scheme eye-Package",
        "What was not compiled",
    ],
)
def test_the_readme_says(eye: Outcome, said: str) -> None:
    assert " ".join(said.split()) in " ".join(readme(eye).split())


def test_every_path_that_the_readme_names_is_there(eye: Outcome) -> None:
    named = re.findall(r"`((?:android|ios)(?:/[\w.]+)*/?|[\w-]+\.(?:pte|json|swift))`", readme(eye))
    assert len(named) > 8
    assert [name for name in named if not (eye.bundle.path / name).exists()] == []
