"""The iOS project, as far as it can be held to anything without Apple's systems.

Swift's own compiler builds the whole package of a bundle, its plug-in and its tests, against an
outline of LiteRT's and Apple's APIs (outlines/swift/). What needs SwiftUI is read by the parser.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import bundle as bundles
from deploy_targets.converters.tflite import Converted
from deploy_targets.errors import NotRun
from deploy_targets.integrations import swift
from deploy_targets.integrations.swift import Job, Swift
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Array, Call, Check, Dialect, Graph, Prepared
from deploy_targets.targets.tflite import project
from deploy_targets.targets.tflite.target import Tflite
from deploy_targets.workspace import Workspace, digest_of, digest_of_file
from tests.mobile import outline
from tests.targets.tflite import written

ONE = "check.safetensors"
LITERT = '.package(url: "https://github.com/google-ai-edge/LiteRT.git", revision: "v2.3.0")'
IN_THEIR_PLACE = {
    "Package.swift": {
        "#if os(macOS)": "#if true",
        LITERT: '.package(name: "LiteRT", path: "/outline")',
    },
    # Only Apple's Foundation turns one into the other by `as`.
    "ios/Sources/DeployTarget/PlatformDecoder.swift": {"bytes as CFData": "bytes.cf"},
}
"""What is put in the place of what is Apple's or LiteRT's: file -> text -> another."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with golden, as it travels."""
    home = tmp_path_factory.mktemp("ios")
    (home / "given.tflite").write_bytes(written.model((1, 8)))
    graph = Graph(Dialect.EXPORTED, home, "0" * 64, "torch.export")
    asked = Prepared("a model", written.SIGNATURE, graph, RECIPES["fp32"])
    made = Converted(written.entries((1, 8)), {"ai-edge-litert": "2.3.0"})
    (home / "bundle").mkdir()
    workspace = Workspace(home / "ws")
    project.built(Tflite(), asked, home / "given.tflite", made, home / "bundle", workspace)
    bundles.write_golden(home / "bundle", [case("large/0", 8), case("small/1", 2)])
    (home / "bundle" / bundles.MANIFEST).write_text("{}\n")
    return home / "bundle"


def case(call: str, size: int) -> Check:
    arrays: dict[str, Array] = {"x": np.arange(size, dtype=np.float32)}
    return Check("tensors", Call(call, f"b{size}", arrays), arrays, arrays)


def test_the_whole_package_is_built_against_the_outline(compiler: Swift, package: Path) -> None:
    found = bundles.read_tensors(built(compiler, package) / ONE)
    # The plug-in ran, and took the smaller case.
    assert set(found) == {f"tensors/small|1/b2/{side}/x" for side in ("in", "out", "noise")}
    assert all(array.tolist() == [0.0, 1.0] for array in found.values())


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


def built(compiler: Swift, package: Path) -> Path:
    """What the build made of golden. Kept, for a build takes a minute."""
    outlined = sorted((outline.OUTLINES / "swift").rglob("*.swift"))
    files = [*sorted(package.rglob("*.swift")), *outlined, package / bundles.GOLDEN]
    content = [[file.name, digest_of_file(file)] for file in files]

    def make(home: Path) -> None:
        shutil.copytree(package, home / "package")
        for name, places in IN_THEIR_PLACE.items():
            replace(home / "package" / name, places)
        (home / "build").mkdir()
        job = Job(home / "package", home / "build", {"/outline": outline.OUTLINES / "swift"})
        compiler.run(swift.build("--disable-sandbox", "-j", "2"), job)
        (one,) = (home / "build").glob(f"*-linux-gnu/debug/*.resources/{ONE}")
        shutil.copyfile(one, home / ONE)
        shutil.rmtree(home / "build")

    return Workspace().cached("swift-outline", digest_of(compiler.version, content), make)


def replace(file: Path, places: dict[str, str]) -> None:
    text = file.read_text()
    for ours, other in places.items():
        assert text.count(ours) == 1, f"{file.name} no longer says {ours}"
        text = text.replace(ours, other)
    file.write_text(text)
