"""The projects around a model, whatever runs it: what of one runtime is in a bundle of another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy_targets.phones import project
from deploy_targets.phones.kit import Kit
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Dialect, Graph, Prepared, Signature, TensorSpec
from deploy_targets.resources import resource
from deploy_targets.workspace import Workspace

KITS = {
    "executorch": Kit("executorch", "model.pte", {"android": "executorch", "ios": "executorch"}),
    "coreml": Kit("coreml", "model.mlpackage", {"ios": "coreml"}),
    "pytorch_mobile": Kit("pytorch_mobile", "model.ptl", {"android": "pytorch"}),
    "tflite": Kit("tflite", "model.tflite", {"android": "litert", "ios": "litert"}),
}
SAYS = {
    "executorch": r"executorch|\.pte\b",
    "coreml": r"coreml|core ml|mlpackage",
    "pytorch_mobile": r"org\.pytorch\.(?!executorch)|pytorch_android|lite interpreter|\.ptl\b",
    "tflite": r"tflite|litert|tensorflow",
}
"""Target -> what only its own runtime's files say."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Target -> its bundle, before the model, golden and the seal."""
    home = tmp_path_factory.mktemp("projects")
    signature = Signature((TensorSpec("x", "float32", ("B", 3)),), (TensorSpec("y", "int64", ()),))
    graph = Graph(Dialect.EXPORTED, home, "0" * 64, "torch.export")
    prepared = Prepared("a model", signature, graph, RECIPES["fp32"])
    for name, kit in KITS.items():
        (home / name).mkdir()
        project.put(kit, prepared, None, home / name, Workspace(home / "ws"))
    return {name: home / name for name in KITS}


def texts(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


@pytest.mark.parametrize("name", KITS)
def test_a_bundle_names_its_own_runtime_and_no_other(folders: dict[str, Path], name: str) -> None:
    found = {
        (said, file)
        for file, text in texts(folders[name]).items()
        for said, words in SAYS.items()
        if re.search(words, text, re.IGNORECASE)
    }
    assert {said for said, _ in found} == {name}, found


@pytest.mark.parametrize("name", KITS)
def test_only_the_apps_of_the_kit_are_made(folders: dict[str, Path], name: str) -> None:
    tops = {path.name for path in folders[name].iterdir()}
    ios = {"ios", "Package.swift"} if "ios" in KITS[name].runtimes else set()
    android = {"android"} if "android" in KITS[name].runtimes else set()
    assert tops == {"LICENSE", *ios, *android}


def test_an_apps_files_differ_between_two_runtimes_only_where_the_runtime_has_its_own(
    folders: dict[str, Path],
) -> None:
    """So what an app sees of one is what it sees of the other."""
    one, other = texts(folders["executorch"]), texts(folders["tflite"])
    differing = {file for file in one.keys() | other.keys() if one.get(file) != other.get(file)}
    own = {
        f"{app}/{path.relative_to(home).as_posix()}"
        for app in ("android", "ios")
        for runtime in ("executorch", "litert")
        for home in [resource("mobile", app, project.RUNTIMES, runtime)]
        for path in home.rglob("*")
        if path.is_file()
    }
    assert differing == own | {"Package.swift"}


@pytest.mark.parametrize("app", ["android", "ios"])
def test_nothing_of_a_runtimes_own_is_public(app: str) -> None:
    """What is public in Kotlin is all that says nothing else; in Swift, what says so."""
    files = [
        path
        for path in resource("mobile", app, project.RUNTIMES).rglob("*")
        if path.suffix in (".kt", ".swift")
    ]
    assert len(files) > 3
    public = r"^(?:class|object|fun|val|interface) |^public " if app == "android" else r"\bpublic "
    assert [file for file in files if re.search(public, file.read_text(), re.M)] == []


@pytest.mark.parametrize("name", [name for name, kit in KITS.items() if "ios" in kit.runtimes])
def test_the_package_takes_the_model_that_its_engine_opens(
    folders: dict[str, Path], name: str
) -> None:
    model = KITS[name].model
    assert f'"{model}", "deploy-target.json"' in (folders[name] / "Package.swift").read_text()
    engine = folders[name] / "ios/Sources/DeployTarget/Engine.swift"
    assert f'static let file = "{model}"' in engine.read_text()


@pytest.mark.parametrize("name", [name for name, kit in KITS.items() if "android" in kit.runtimes])
def test_gradle_takes_the_model_that_the_code_opens(folders: dict[str, Path], name: str) -> None:
    model = KITS[name].model
    assert (
        f'extra["model"] = "{model}"' in (folders[name] / "android/runtime.gradle.kts").read_text()
    )
    (artifact,) = (folders[name] / "android").rglob("Artifact.kt")
    assert f'FILE = "{model}"' in artifact.read_text()
