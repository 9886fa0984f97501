"""A bundle of a model that sees, from a torch module to a verdict that waits for a device.

One is built for all of these tests. What a device answers is written here as a recording is: the
expected answers, moved by one unit in the last place.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import api
from deploy_targets import bundle as bundles
from deploy_targets.parity.rows import overall
from deploy_targets.phones import naming
from deploy_targets.pipeline import Outcome
from deploy_targets.records import BYTES, TENSORS, Array
from deploy_targets.resources import resource
from deploy_targets.targets.coreml import project
from deploy_targets.targets.coreml.target import Coreml
from deploy_targets.testing import media_zoo
from deploy_targets.verdicts import Row, Verdict

ON_A_MAC = {"runtime": "Core ML of Version 14.5, cpu", "device": "a Mac"}


@pytest.fixture(scope="module")
def eye(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    project = tmp_path_factory.mktemp("eye") / "eye"
    media_zoo.write(project, "eye")
    return api.build(project, target="coreml", reuse=False)


@pytest.fixture(scope="module")
def right(eye: Outcome) -> dict[str, Array]:
    """CALL/OUTPUT -> what an honest device may answer."""
    return {
        f"{check.call.name}/{name}": moved(want)
        for check in bundles.read_golden(eye.bundle)
        for name, want in check.expected.items()
    }


def moved(want: Array, by: float = 0.0) -> Array:
    """By so much, or one unit in the last place, towards zero; what is no float stays."""
    if want.dtype.kind != "f":
        return want
    near: Array = np.nextafter(want, np.zeros_like(want))
    return np.subtract(near, by, dtype=want.dtype) if by else near


def judged(eye: Outcome, lane: str, tensors: dict[str, Array], file: Path) -> Outcome:
    digest = bundles.digest(eye.bundle)
    bundles.write_tensors(file, tensors, manifest=digest, lane=lane, **ON_A_MAC)
    return api.verify(eye.bundle.path, actual=file)


def rows(outcome: Outcome, lane: str) -> dict[str, Row]:
    return {row.golden: row for row in outcome.report.rows if row.lane == lane}


def readme(eye: Outcome) -> str:
    return (eye.bundle.path / "README.md").read_text(encoding="utf-8")


def test_it_is_published_and_not_run_with_what_to_run_instead(eye: Outcome) -> None:
    assert eye.verdict is Verdict.NOT_RUN
    assert {lane.name: lane.required for lane in eye.bundle.manifest.lanes} == {
        "ios": True,
        "macos": True,
    }
    for lane, command in {"macos": "swift run deploy-target-run", "ios": "xcodebuild test"}.items():
        for row in rows(eye, lane).values():
            assert row.verdict is Verdict.NOT_RUN
            assert command in row.reason
            assert "verify BUNDLE --actual recording-cpu.safetensors" in row.reason
    assert set(rows(eye, "macos")) == {TENSORS, BYTES}


def test_the_manifest_and_the_readme_say_what_was_checked(eye: Outcome) -> None:
    notes = eye.bundle.manifest.notes
    assert any(note.startswith("the package was read back") for note in notes)
    (numbers,) = [note for note in notes if note.startswith("of the model's ")]
    assert re.search(r"numbers in the package, at float32: \d[\d.]* % equal", numbers)
    assert all(f"- {note}\n" in readme(eye) for note in notes)


def test_a_torch_module_comes_by_export_and_its_batch_stays_dynamic(eye: Outcome) -> None:
    assert eye.bundle.manifest.capture == "exported by torch.export"
    entries = {entry.golden: entry for entry in eye.bundle.manifest.entries}
    assert entries[TENSORS].name == "main"
    assert entries[TENSORS].inputs[0].spec.shape == ("batch", 3, 64, 96)
    assert entries[BYTES].name == "predict"
    assert eye.bundle.manifest.uncovered == ()


def test_what_a_mac_and_a_phone_answered_is_judged(
    eye: Outcome, right: dict[str, Array], tmp_path: Path
) -> None:
    wrong = {name: moved(array, by=0.5) for name, array in right.items()}
    failed = judged(eye, "macos", wrong, tmp_path / "wrong.safetensors")
    assert failed.verdict is Verdict.FAIL
    assert rows(failed, "macos")[TENSORS].verdict is Verdict.FAIL
    passed = judged(eye, "macos", right, tmp_path / "macos.safetensors")
    assert passed.verdict is Verdict.PASS
    assert {name: row.verdict for name, row in rows(passed, "macos").items()} == {
        TENSORS: Verdict.PASS,
        BYTES: Verdict.PASS,
    }
    assert rows(passed, "macos")[TENSORS].where == (
        "Core ML of Version 14.5, cpu on a Mac (recorded)"
    )
    lanes = eye.bundle.manifest.lanes
    assert overall(lanes, passed.report.rows) is Verdict.NOT_RUN, "a phone has not answered"
    both = judged(eye, "ios", right, tmp_path / "ios.safetensors")
    assert overall(lanes, both.report.rows) is Verdict.PASS


def test_the_folder_holds_the_package_once_and_a_swift_package(eye: Outcome) -> None:
    tops = {path.name for path in eye.bundle.path.iterdir()}
    own = {"model.mlpackage", "Package.swift", "ios", "steps.json", "README.md", "LICENSE"}
    assert tops == own | {"deploy-target.json", "golden.safetensors", "parity.json"}
    roles = {name: file.role for name, file in eye.bundle.manifest.files.items()}
    package = {name: role for name, role in roles.items() if name.startswith("model.mlpackage/")}
    assert set(package.values()) == {"model"}
    assert "model.mlpackage/Data/com.apple.CoreML/weights/weight.bin" in package
    assert list(roles.values()).count("model") == len(package)


@pytest.mark.parametrize(
    "said",
    [
        "**Nobody has run this model in Core ML yet**",
        "| in | `image` | float32 | batch x 3 x 64 x 96 |",
        "`batch` may be 1 to 4 in one call",
        "let answer = try model.predict(data)",
        "iOS 16 or macOS 13, or newer (version 7 of the package's form)",
        "The function `main` of the package takes `image` float32 batch x 3 x 64 x 96",
        "swift run deploy-target-run golden.safetensors recording-cpu.safetensors cpu",
        "xcodebuild test -scheme eye-Package",
        "verify . --actual recording-cpu.safetensors",
        "What was not compiled",
    ],
)
def test_the_readme_says(eye: Outcome, said: str) -> None:
    assert " ".join(said.split()) in " ".join(readme(eye).split())


def test_every_path_that_the_readme_names_is_there(eye: Outcome) -> None:
    named = re.findall(r"`(ios/[\w./]+|[\w-]+\.(?:json|mlpackage|swift|safetensors))`", readme(eye))
    assert len(named) > 5
    assert [name for name in named if not (eye.bundle.path / name).exists()] == []


@pytest.mark.parametrize("minimum", ["iOS16", "iOS17", "iOS18"])
def test_the_swift_package_asks_for_the_systems_that_take_the_model(
    minimum: str, tmp_path: Path
) -> None:
    swift = tmp_path / "Package.swift"
    swift.write_text(resource("templates", "phones", "runtimes", "coreml.swift").read_text("utf-8"))
    options = Coreml.model_validate({"minimum": minimum})
    project.demand(options.minimum, swift)
    (line,) = [each for each in swift.read_text().splitlines() if "platforms" in each]
    number = int(minimum.removeprefix("iOS"))
    found = [int(each) for each in re.findall(r'(?:\.v|")(\d+)', line)]
    assert found == [number, number - 3]


def test_the_hint_names_the_scheme_of_the_swift_package(eye: Outcome) -> None:
    text = (eye.bundle.path / "Package.swift").read_text(encoding="utf-8")
    assert f'name: "{naming.package(eye.bundle.manifest.name)}"' in text
    assert 'name: "deploy-target-run"' in text


def test_doctor_names_pytorch_and_uv() -> None:
    assert {need.tool for need in Coreml.needs()} == {"torch", "uv"}
