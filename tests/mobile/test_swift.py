"""What is cheap to know of the Swift code. What it computes is asked by `make test-swift`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from deploy_targets.integrations import beside
from deploy_targets.records import Signature
from deploy_targets.resources import resource
from deploy_targets.stages import host
from deploy_targets.verdicts import Bound

IOS = Path(__file__).parents[2] / "mobile" / "ios"
CORE = IOS / "Sources" / "DeployTargetCore"
OPERATIONS = (CORE / "Steps" / "Operations.swift").read_text()


@pytest.mark.parametrize(("table", "known"), [("before", host.BEFORE), ("after", host.AFTER)])
def test_swift_has_the_operations_of_the_reference(table: str, known: dict[str, str]) -> None:
    body = re.search(rf"static let {table}: \[.*?\n    \]", OPERATIONS, re.DOTALL)
    assert body is not None
    assert re.findall(r'^        "(\w+)": \{', body[0], re.MULTILINE) == list(known)


def test_swift_knows_the_words_of_the_reference() -> None:
    words = re.search(r"static let words: Set<String> = \[(.*)\]", OPERATIONS)
    assert words is not None
    assert set(re.findall(r'"(\w+)"', words[1])) == host.WORDS


def test_swift_reads_every_field_of_a_bound_and_of_a_signature() -> None:
    manifest = (CORE / "Manifest.swift").read_text()
    for record in (Bound, Signature):
        for field in record.__dataclass_fields__:
            assert f'"{field}"' in manifest, field


def test_the_core_needs_nothing_of_apples_own() -> None:
    imports = {
        line
        for file in CORE.rglob("*.swift")
        for line in file.read_text().splitlines()
        if line.startswith(("import ", "@testable"))
    }
    assert imports == {"import Foundation"}


@pytest.mark.parametrize(
    ("runtime", "asked", "said"),
    [
        ("litert", r'revision: "v([\d.]+)"', r"LiteRT ([\d.]+),"),
        ("executorch", r"branch swiftpm-([\d.]+),", r"ExecuTorch ([\d.]+),"),
    ],
)
def test_an_engine_says_the_version_that_the_package_asks_for(
    runtime: str, asked: str, said: str
) -> None:
    part = resource("templates", "phones", "runtimes", f"{runtime}.swift").read_text()
    engine = IOS / "runtimes" / runtime / "Sources" / "DeployTarget" / "Engine.swift"
    found = [re.search(asked, part), re.search(said, engine.read_text())]
    versions = {match[1] for match in found if match}
    assert len(versions) == 1
    assert all(found)


def test_litert_on_ios_is_the_one_that_the_bundle_was_judged_in() -> None:
    judged = re.search(
        r"^ai-edge-litert==([\d.]+)", (beside.LOCKS / "litert.txt").read_text(), re.M
    )
    assert judged
    part = resource("templates", "phones", "runtimes", "litert.swift").read_text()
    assert f'revision: "v{judged[1]}"' in part


def test_swift_files_and_functions_are_short() -> None:
    files = list(IOS.glob("Sources/DeployTargetCore/**/*.swift"))
    assert len(files) > 30
    assert {f.name: n for f in files if (n := len(f.read_text().splitlines())) > 300} == {}
