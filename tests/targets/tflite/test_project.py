"""The folder: what lies in it, what its README says, and what both apps know of the model."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from deploy_targets import pipeline, registry
from deploy_targets.converters.tflite import Converted
from deploy_targets.converters.tflite_root import Root
from deploy_targets.errors import UnsupportedModel
from deploy_targets.phones import naming
from deploy_targets.phones import project as around
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import (
    Built,
    Dialect,
    Graph,
    Prepared,
    Signature,
    Stage,
    Staging,
    TensorSpec,
)
from deploy_targets.resources import resource
from deploy_targets.stages import plan as plans
from deploy_targets.targets.tflite import project
from deploy_targets.targets.tflite.project import KIT
from deploy_targets.targets.tflite.target import Tflite
from deploy_targets.testing import zoo
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

from . import written

ROOT = Path(__file__).resolve().parents[3]
TOOLS = {"ai-edge-litert": "2.3.0", "litert-torch": "0.10.0"}
FOR_PEOPLE = (".kt", ".kts", ".swift", ".md", ".toml", ".xml", ".properties", ".pro")


def prepared(name: str = "Conv Net/1", signature: Signature = written.SIGNATURE) -> Prepared:
    graph = Graph(Dialect.EXPORTED, Path(), "0" * 64, "torch.export")
    return Prepared(name, signature, graph, RECIPES["fp32"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle of a file that no converter made, before golden and the seal."""
    home = tmp_path_factory.mktemp("project")
    (home / "given.tflite").write_bytes(written.model((1, 8)))
    made = Converted(written.entries((1, 8)), TOOLS, ("token became 32 bits wide",))
    (home / "bundle").mkdir()
    workspace = Workspace(home / "ws")
    given, made_in = home / "given.tflite", home / "bundle"
    project.built(Tflite(), prepared(), given, made, made_in, workspace)
    return made_in


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Three inputs of three datatypes, from a torch module to a verdict."""
    target = registry.load("tflite", {"arm": "none", "old_runtime": False})
    out = tmp_path_factory.mktemp("whole") / "bundle"
    return pipeline.build(Job(zoo.SPECS["three_inputs"], target, out), Workspace(), reuse=False)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_torch_model_becomes_a_bundle_that_litert_answers_rightly(outcome: Outcome) -> None:
    assert outcome.verdict is Verdict.PASS
    roles = {name: file.role for name, file in outcome.bundle.manifest.files.items()}
    assert roles["model.tflite"] == "model"
    assert roles["README.md"] == "doc"
    assert roles["Package.swift"] == roles["android/settings.gradle.kts"] == "code"
    assert [lane.name for lane in outcome.bundle.manifest.lanes if lane.required] == [
        "litert-1t",
        "litert-2t",
    ]


def test_both_projects_lie_there_as_in_the_source_tree(folder: Path) -> None:
    tops = {path.name for path in folder.iterdir()}
    assert tops == {"model.tflite", "README.md", "LICENSE", "Package.swift", "android", "ios"}
    for app in ("android", "ios"):
        for path in sorted((folder / app).rglob("*")):
            within = path.relative_to(folder / app)
            sources = [
                resource("mobile", app) / within,
                resource("mobile", app, around.RUNTIMES, "litert") / within,
            ]
            made = path.relative_to(folder).as_posix() in naming.TEMPLATES[app].values()
            if path.is_file() and not made:
                (source,) = (each for each in sources if each.exists())
                assert path.read_bytes() == source.read_bytes(), path


def test_the_model_lies_there_once(folder: Path) -> None:
    assert [name for name in files(folder) if name.endswith(".tflite")] == ["model.tflite"]


def test_what_only_this_project_can_run_stays_here(folder: Path) -> None:
    found = files(folder)
    here = re.compile(r"/src/(test|harness)/|CoreTests|Tests/Answers")
    assert [name for name in found if here.search(name)] == []
    assert not [name for name in found if re.search(r"(^|/)(build|\.gradle|\.build)/", name)]
    assert "android/deploytarget/src/androidTest/kotlin/dev/deploytarget/GoldenTest.kt" in found
    assert "ios/Tests/DeployTargetTests/GoldenTests.swift" in found


def test_the_file_holds_what_the_common_tools_read(folder: Path) -> None:
    root = Root((folder / "model.tflite").read_bytes())
    assert {"TFLITE_METADATA", "min_runtime_version"} <= set(root.metadata())
    assert [signed.key for signed in root.signatures()] == ["b1", "b8"]


@pytest.mark.parametrize(
    "said",
    [
        "| in | `x` | float32 | batch x 4 |",
        "| out | `off` | bool | batch |",
        "`batch` may be 1 to 16",
        'includeBuild("conv-net-1/android")',
        "val outputs = model.run(x, token, use)",
        "let outputs = try model.run(x: x, token: token, use: use)",
        "minSdk 24",
        "arm64-v8a",
        "Pages of 16 KB",
        "deploy-target verify . --actual recording-cpu.safetensors",
        "What was not compiled",
        "token became 32 bits wide.",
        "2.2.0 into the file as the oldest",
        "where it did not pass, use LiteRT 2.3 or newer",
        "Signature `b8` of the file takes `x` float32 8 x 4",
        "litert-torch 0.10.0",
    ],
)
def test_the_readme_says(folder: Path, said: str) -> None:
    assert said in (folder / "README.md").read_text()


def test_every_path_that_the_readme_names_is_there(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    named = re.findall(r"`((?:android|ios)(?:/[\w.]+)+/?)`", text)
    assert len(named) > 5
    assert [name for name in named if not (folder / name).exists()] == []


def test_the_readme_shows_predict_where_steps_are_declared(tmp_path: Path) -> None:
    _, home = built_with(Stage("x", "decode_table", {}), tmp_path)
    text = (home / "README.md").read_text()
    assert "val answer = model.predict(bytes)" in text
    assert "text/csv -> words" in text


def staging(*stages: Stage) -> Staging:
    raw = TensorSpec("x", "uint8", ("bytes",))
    return Staging(
        stages,
        written.SIGNATURE,
        {"x": (raw,)},
        {"x": ("text/csv",)},
        {"x": (".csv",)},
        single=True,
    )


@pytest.mark.parametrize("op", ["own", "module"])
def test_a_step_of_the_users_own_is_refused_by_name(op: str) -> None:
    with pytest.raises(UnsupportedModel, match=f"the step {op} of x is your own") as caught:
        around.planned(staging(Stage("x", op, {"source": "a.py:b"})), KIT)
    assert "declare it by other steps" in caught.value.hint


def test_steps_travel_where_the_apps_can_run_all_of_them(tmp_path: Path) -> None:
    built, home = built_with(Stage("x", "decode_table", {}), tmp_path)
    said = json.loads((home / around.STEPS).read_text())
    assert [step["op"] for step in said["inputs"]["x"]["host"]] == ["decode_table"]
    assert [(stage.op, stage.where) for stage in built.stages] == [("decode_table", "host")]


def built_with(stage: Stage, tmp_path: Path) -> tuple[Built, Path]:
    """What is built where nothing has to be converted: the workspace holds it."""
    (tmp_path / "given.tflite").write_bytes(written.model((1,)))
    made = Converted(written.entries((1,)), TOOLS)
    home = tmp_path / "bundle"
    home.mkdir()
    asked = replace(prepared(), staging=staging(stage))
    given = tmp_path / "given.tflite"
    return project.built(Tflite(), asked, given, made, home, Workspace(tmp_path / "ws")), home


def test_every_declared_step_runs_on_the_device_and_none_is_a_graph(tmp_path: Path) -> None:
    scale = Stage("x", "scale", {"factor": 2.0})
    ports = tuple(TensorSpec("x", "float32", ("batch", 4)) for _ in range(3))
    label = Stage("y", "label", {"says": "classes"}, side="after")
    given = staging(Stage("x", "decode_table", {}), scale, label)
    plan = around.planned(replace(given, ports={"x": ports}), KIT)
    assert plan
    assert [(stage.op, stage.where) for stage in plan.stages] == [
        ("decode_table", "host"),
        ("scale", "host"),
        ("label", "host"),
    ]
    said = plans.write(plan, written.SIGNATURE, tmp_path)
    assert said["graph"] is None
    assert said["inputs"]["x"]["graph"] is None
    assert [path.name for path in tmp_path.iterdir()] == [plans.FILE]


def test_names_that_are_no_identifiers_become_ones_and_stay_apart() -> None:
    names = ["a.b", "a_b", "1st", "class", "$x", "", "\u00fc"]
    specs = [TensorSpec(name, "float32", ()) for name in names]
    found = naming.named(specs)
    identifiers = [one.identifier for one in found]
    assert identifiers == ["a_b", "a_b_", "tensor1st", "class_", "_x", "tensor_", "tensor__"]
    assert [one.literal for one in found][4:6] == ['"$x"', '""']


def test_a_name_with_a_control_character_is_refused() -> None:
    with pytest.raises(UnsupportedModel, match="holds a control character"):
        naming.named([TensorSpec("a\nb", "float32", ())])


def test_no_name_of_a_model_ends_a_comment_or_fills_in_a_string(tmp_path: Path) -> None:
    spec = TensorSpec('$x \\(1) "', "float32", ("*/ fun",))
    naming.write(KIT, prepared("a */ b\nfun c", Signature((spec,), (spec,))), tmp_path)
    made = {app: next(iter(of.values())) for app, of in naming.TEMPLATES.items()}
    kotlin, swift = ((tmp_path / made[app]).read_text() for app in ("android", "ios"))
    assert kotlin.count("*/") == kotlin.count("/**")
    assert "\nfun c" not in kotlin + swift
    assert '"\\$x \\\\(1) \\""' in kotlin
    assert '"$x \\\\(1) \\""' in swift


def test_text_ends_its_lines_with_lf_and_says_nothing_of_this_machine(folder: Path) -> None:
    for name in files(folder):
        if name.endswith(FOR_PEOPLE):
            text = (folder / name).read_bytes()
            assert b"\r" not in text, name
            assert str(ROOT).encode() not in text, name
            assert text.endswith(b"\n"), name


def test_an_installed_wheel_finds_both_projects(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    script = (
        "from deploy_targets.resources import resource; home = resource('mobile')\n"
        "found = sorted(p.relative_to(home).as_posix() for p in home.rglob('*.kt*'))\n"
        "print(*found, home, sep='\\n')"
    )
    # A wheel is a zip; unpacked, it is what an installation has.
    subprocess.run([sys.executable, "-m", "zipfile", "-e", wheel, tmp_path / "in"], check=True)
    said = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path / "in",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "in")},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert Path(said[-1]).is_relative_to(tmp_path), f"taken from the checkout: {said[-1]}"
    assert "android/deploytarget/src/main/kotlin/dev/deploytarget/DeployTargetModel.kt" in said
    assert "android/settings.gradle.kts" in said
