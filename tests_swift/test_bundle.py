"""The iOS project, as far as it can be held to anything without Apple's systems.

Swift's own compiler builds the whole package of a bundle, its plug-in and its tests, for each
runtime, against an outline of its API and Apple's (outlines/swift/). What needs SwiftUI is read by
the parser.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import bundle as bundles
from deploy_targets.errors import NotRun
from deploy_targets.integrations import swift
from deploy_targets.integrations.swift import Job, Swift
from deploy_targets.phones import project
from deploy_targets.phones.kit import Kit
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Array, Call, Check, Dialect, Graph, Prepared
from deploy_targets.resources import resource
from deploy_targets.workspace import Workspace, digest_of, digest_of_file
from tests.mobile import outline
from tests.targets.tflite import written

ONE = "check.safetensors"
APPLES = {
    "Package.swift": {"#if os(macOS)": "#if true"},
    # Only Apple's Foundation turns one into the other by `as`.
    "ios/Sources/DeployTarget/PlatformDecoder.swift": {"bytes as CFData": "bytes.cf"},
}
"""What is put in the place of what is Apple's: file -> text -> another."""
RUNTIMES: dict[str, dict[str, str]] = {
    "litert": {
        '.package(url: "https://github.com/google-ai-edge/LiteRT.git", revision: "v2.3.0")': (
            '.package(name: "LiteRT", path: "/outline")'
        ),
    },
    "executorch": {
        '.package(url: "https://github.com/pytorch/executorch.git", '
        'revision: "56cc93a96d5fb8d21554ec5f00fbad5a5b228bc4")': (
            '.package(name: "executorch", path: "/outline")'
        ),
        # It is a flag of Apple's linker.
        '[.unsafeFlags(["-Wl,-all_load"])]': "[]",
    },
    "coreml": {
        "packages: [Package.Dependency] = []": (
            'packages: [Package.Dependency] = [.package(path: "/outline")]'
        ),
        "products: [Target.Dependency] = []": (
            'products: [Target.Dependency] = [.product(name: "CoreML", package: "outline")]'
        ),
    },
}
"""Runtime -> what is put in its place in Package.swift."""
MODELS = {"litert": "model.tflite", "executorch": "model.pte", "coreml": "model.mlpackage"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Runtime -> a bundle with golden, as it travels."""
    home = tmp_path_factory.mktemp("ios")
    return {runtime: bundle(runtime, home / runtime) for runtime in RUNTIMES}


@pytest.fixture(scope="module")
def package(packages: dict[str, Path]) -> Path:
    return packages["litert"]


def bundle(runtime: str, folder: Path) -> Path:
    folder.mkdir()
    graph = Graph(Dialect.EXPORTED, folder, "0" * 64, "torch.export")
    asked = Prepared("a model", written.SIGNATURE, graph, RECIPES["fp32"])
    kit = Kit("a target", MODELS[runtime], {"ios": runtime})
    project.put(kit, asked, None, folder, Workspace(folder.parent / "ws"))
    (folder / kit.model).write_bytes(b"nobody runs it")
    bundles.write_golden(folder, [case("large/0", 8), case("small/1", 2)])
    (folder / bundles.MANIFEST).write_text("{}\n")
    return folder


def case(call: str, size: int) -> Check:
    arrays: dict[str, Array] = {"x": np.arange(size, dtype=np.float32)}
    return Check("tensors", Call(call, f"b{size}", arrays), arrays, arrays)


def test_the_whole_package_is_built_against_the_outline_for_each_runtime(
    compiler: Swift, packages: dict[str, Path]
) -> None:
    home = built(compiler, packages)
    for runtime in RUNTIMES:
        found = bundles.read_tensors(home / runtime / ONE)
        # The plug-in ran, and took the smaller case.
        assert set(found) == {f"tensors/small|1/b2/{side}/x" for side in ("in", "out", "noise")}
        assert all(array.tolist() == [0.0, 1.0] for array in found.values())


def test_every_runtime_that_there_is_is_built() -> None:
    home = resource("mobile", "ios", "runtimes")
    assert {path.name for path in home.iterdir()} == set(RUNTIMES)


def test_elsewhere_than_on_a_mac_the_package_is_its_plain_code(
    compiler: Swift, package: Path, tmp_path: Path
) -> None:
    (tmp_path / "build").mkdir()
    asked = ["swift", "package", "--scratch-path", swift.BUILD, "dump-package"]
    said = compiler.run(asked, Job(package, tmp_path / "build"))
    described = json.loads(said[said.index("{") :])
    assert [target["name"] for target in described["targets"]] == [
        "DeployTargetCore",
        "OneCase",
        "CheckCase",
    ]
    assert described["dependencies"] == []


def test_the_sample_is_swift(compiler: Swift, package: Path, tmp_path: Path) -> None:
    files = sorted((package / "ios" / "Sample").glob("*.swift"))
    assert len(files) == 2
    for file in files:
        parse(compiler, file, package, tmp_path)


def test_what_is_not_swift_is_found(compiler: Swift, tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "broken.swift").write_text("struct A { let x = }\n")
    with pytest.raises(NotRun, match="expected initial value"):
        parse(compiler, tmp_path / "package/broken.swift", tmp_path / "package", tmp_path)


def parse(compiler: Swift, file: Path, package: Path, scratch: Path) -> None:
    asked = ["swiftc", "-frontend", "-parse", file.relative_to(package).as_posix()]
    compiler.run(asked, Job(package, scratch))


def built(compiler: Swift, packages: dict[str, Path]) -> Path:
    """Runtime/ONE: what each build made of golden. Kept, for they take a minute."""
    outlined = sorted((outline.OUTLINES / "swift").rglob("*.swift"))
    own = [file for package in packages.values() for file in sorted(package.rglob("*.swift"))]
    files = [*own, *outlined, packages["litert"] / bundles.GOLDEN]
    content = [[file.name, digest_of_file(file)] for file in files]

    def make(home: Path) -> None:
        # One folder for all: what does not differ between the runtimes is compiled once.
        (home / "build").mkdir()
        job = Job(home / "package", home / "build", {"/outline": outline.OUTLINES / "swift"})
        for runtime, package in packages.items():
            shutil.copytree(package, home / "package")
            for name, places in {**APPLES, "Package.swift": package_places(runtime)}.items():
                replace(home / "package" / name, places)
            compiler.run(swift.build("--disable-sandbox", "-j", "2"), job, seconds=1200.0)
            (one,) = (home / "build").glob(f"*-linux-gnu/debug/*.resources/{ONE}")
            (home / runtime).mkdir()
            shutil.copyfile(one, home / runtime / ONE)
            shutil.rmtree(home / "package")
        shutil.rmtree(home / "build")

    return Workspace().cached("swift-outline", digest_of(compiler.version, content), make)


def package_places(runtime: str) -> dict[str, str]:
    return {**APPLES["Package.swift"], **RUNTIMES[runtime]}


def replace(file: Path, places: dict[str, str]) -> None:
    text = file.read_text()
    for ours, other in places.items():
        assert text.count(ours) == 1, f"{file.name} no longer says {ours}"
        text = text.replace(ours, other)
    file.write_text(text)
