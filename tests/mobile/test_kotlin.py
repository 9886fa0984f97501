"""The plain Kotlin of the Android project: compiled, its tests run, held to the shared vectors.

Kotlin only answers: whether an answer is right is asked here, of the same code as everywhere.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load

from deploy_targets.errors import ConversionFailed, ToolMissing
from deploy_targets.integrations import kotlin
from deploy_targets.integrations.kotlin import Classes
from deploy_targets.stages import host
from deploy_targets.testing import vectors
from deploy_targets.testing.vectors import Case
from deploy_targets.workspace import Workspace

CORE = Path(__file__).parents[2] / "mobile" / "android" / "core"
MAIN, HARNESS, TESTS = (CORE / "src" / part / "kotlin" for part in ("main", "harness", "test"))
JUNIT = (Path("/usr/share/java/junit4.jar"), Path("/usr/share/java/hamcrest.jar"))
LEFT = {
    "chain-audio/wave-flac": "FLAC",
    "chain-audio/wave-ogg": "OGG",
    "chain-audio/wave-endless": "FLAC",
    "decode_audio/wave-flac-0": "FLAC",
    "decode_audio/wave-ogg-0": "OGG",
    "decode_audio/wave-endless-0": "FLAC",
    "chain-image/classifier-webp": "WEBP",
    "decode_image/classifier-webp-0": "WEBP",
    "chain-image/classifier-cmyk": "CMYK",
    "decode_image/classifier-cmyk-0": "CMYK",
}
"""Cases that are left out, by what decodes them nowhere here: recordings other than WAV are refused
on Android; WebP and CMYK are decoded there by the platform, and not by a desktop's JVM."""
SECONDS = 120.0


@dataclass(frozen=True)
class Answers:
    """A file's: outputs by `<case>/<name>`, and what else there is of each case."""

    outputs: Mapping[str, Any]
    said: Mapping[str, Any]


@pytest.fixture(scope="module")
def main() -> Classes:
    return kotlin.compiled([MAIN], Workspace(), release=8)


@pytest.fixture(scope="module")
def tests(main: Classes) -> Classes:
    missing = [str(jar) for jar in JUNIT if not jar.is_file()]
    assert not missing, f"{missing} not found; install JUnit (Debian: apt-get install junit4)"
    return kotlin.compiled([HARNESS, TESTS], Workspace(), classpath=JUNIT, friend=main)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("vectors")
    vectors.write(made)
    return made


@pytest.fixture(scope="module")
def asked(folder: Path) -> dict[str, list[Case]]:
    return {file.stem: vectors.read(file) for file in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def answered(
    tests: Classes, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Answers]:
    return _answers(tests, folder, tmp_path_factory.mktemp("answers"))


def test_the_unit_tests_pass(tests: Classes) -> None:
    names = [
        ".".join(file.relative_to(TESTS).with_suffix("").parts) for file in TESTS.rglob("*Test.kt")
    ]
    ran = _run(tests, "org.junit.runner.JUnitCore", *sorted(names))
    assert ran.returncode == 0, ran.stdout[-4000:]
    count = re.search(r"OK \((\d+) tests\)", ran.stdout)
    written = sum(file.read_text().count("@Test\n") for file in TESTS.rglob("*Test.kt"))
    assert count
    assert int(count[1]) == written


def test_kotlin_satisfies_every_case_but_those_that_are_named(
    asked: dict[str, list[Case]], answered: dict[str, Answers], capsys: pytest.CaptureFixture[str]
) -> None:
    assert set(answered) == set(asked)
    wrong = [line for name in asked for line in _wrong(name, asked[name], answered[name])]
    total = sum(map(len, asked.values()))
    with capsys.disabled():
        print(f"\n{total - len(LEFT)} of {total} vectors in Kotlin; left out: {LEFT}")  # noqa: T201
    assert wrong == []
    assert len(LEFT) == 10


def test_every_case_that_is_left_out_says_why(answered: dict[str, Answers]) -> None:
    for case, why in LEFT.items():
        name, _, title = case.partition("/")
        said = answered[name].said[title]
        assert why in (said.get("left") or said["refused"]["message"]), case


def test_every_operation_is_asked(asked: dict[str, list[Case]]) -> None:
    source = (MAIN / "dev/deploytarget/core/steps/Steps.kt").read_text()
    has = set(re.findall(r'^            "(\w+)" -> |^        "(\w+)" -> ', source, re.MULTILINE))
    ops = {op for pair in has for op in pair if op}
    assert ops == {*host.BEFORE, *host.AFTER}


def test_a_refusal_says_what_is_wrong(
    asked: dict[str, list[Case]], answered: dict[str, Answers]
) -> None:
    refused = [(name, case) for name in asked for case in asked[name] if case.refuses is not None]
    assert refused
    for name, case in refused:
        message = answered[name].said[case.name]["refused"]["message"]
        assert len(message.split()) >= 3, f"{name}/{case.name}"


def test_passes_in_the_wrong_order_are_noticed(
    main: Classes, tests: Classes, folder: Path, asked: dict[str, list[Case]], tmp_path: Path
) -> None:
    right = (MAIN / "dev/deploytarget/core/steps/ResizePillow.kt").read_text()
    assert right.count("if (!heightFirst(") == 1
    planted = tmp_path / "ResizePillow.kt"
    planted.write_text(right.replace("if (!heightFirst(", "if (heightFirst("))
    wrong = kotlin.compiled([planted], Workspace(), friend=main)
    # The first of two classes of one name is taken.
    both = Classes(wrong.folder, (wrong.folder, *tests.classpath))
    (tmp_path / "answers").mkdir()
    found = _answers(both, folder, tmp_path / "answers", ["resize"])
    assert len(_wrong("resize", asked["resize"], found["resize"])) > 1


def test_what_older_androids_lack_is_refused(tmp_path: Path) -> None:
    if not kotlin.knows_releases():
        pytest.skip("this machine's Java is a JRE: only a JDK knows what Java 8 has")
    newer = tmp_path / "Newer.kt"
    newer.write_text("val id: Long = ProcessHandle.current().pid()\n")
    with pytest.raises(ConversionFailed, match="ProcessHandle"):
        kotlin.compiled([newer], Workspace(), release=8)


def test_a_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "Wrong.kt").write_text('fun one(): Int = "one"\n')
    with pytest.raises(ConversionFailed, match=r"Wrong\.kt:1:18: error"):
        kotlin.compiled([tmp_path], Workspace())


def test_without_java_the_hint_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolMissing) as error:
        kotlin.java()
    assert "openjdk-17-jre-headless" in error.value.hint


def _answers(
    tests: Classes, folder: Path, into: Path, names: list[str] | None = None
) -> dict[str, Answers]:
    asked = names or sorted(file.stem for file in folder.iterdir())
    ran = _run(tests, "dev.deploytarget.core.VectorsKt", str(folder), str(into), *asked)
    assert ran.returncode == 0, ran.stderr[-4000:]
    return {name: _read((into / f"{name}.safetensors").read_bytes()) for name in asked}


def _run(classes: Classes, main: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = kotlin.command(main, classes, *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)


def _read(data: bytes) -> Answers:
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    return Answers(load(data), json.loads(head["__metadata__"]["answers"]))


def _wrong(name: str, cases: list[Case], answers: Answers) -> list[str]:
    """A line for each case that is not satisfied, but for those that are left out."""
    lines = [
        (case.name, _complaint(case, answers))
        for case in cases
        if f"{name}/{case.name}" not in LEFT
    ]
    return [f"{name}/{case}: {complaint}" for case, complaint in lines if complaint]


def _complaint(case: Case, answers: Answers) -> str:
    said = answers.said.get(case.name, {})
    if case.refuses is not None:
        status = said.get("refused", {}).get("status")
        expected = case.refuses["status"]
        return "" if status == expected else f"expected a refusal with {expected}, got {said}"
    if "frame" not in said:
        return f"gave no answer: {said}"
    start = f"{case.name}/"
    outputs = {k.removeprefix(start): v for k, v in answers.outputs.items() if k.startswith(start)}
    return vectors.wrong(case, outputs, said["frame"])
