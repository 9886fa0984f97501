"""The C++ SDK is held to the shared vectors: it only answers, and is judged here.

The same questions are asked of it on this machine and on an emulated ARM.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load

from deploy_targets.integrations import cpp
from deploy_targets.stages import host
from deploy_targets.testing import vectors
from deploy_targets.testing.vectors import Case
from deploy_targets.workspace import Workspace

from .conftest import INNER, LIBRARIES, SDK, Programs

LEFT = {
    "chain-audio/wave-flac": "FLAC",
    "chain-audio/wave-ogg": "OGG",
    "chain-audio/wave-endless": "FLAC",
    "decode_audio/wave-flac-0": "FLAC",
    "decode_audio/wave-ogg-0": "OGG",
    "decode_audio/wave-endless-0": "FLAC",
    "chain-image/classifier-webp": "WEBP",
    "decode_image/classifier-webp-0": "WEBP",
}
"""Cases that are left out, by what the SDK has no decoder for: it refuses them by name."""


@dataclass(frozen=True)
class Answers:
    """A file's: outputs by `<case>/<name>`, and what else there is of each case."""

    outputs: Mapping[str, Any]
    said: Mapping[str, Any]


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
    here: Programs, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Answers]:
    return _answers(here, folder, tmp_path_factory.mktemp("answers"))


def test_cpp_satisfies_every_case_but_those_that_are_named(
    asked: dict[str, list[Case]],
    answered: dict[str, Answers],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert set(answered) == set(asked)
    total = sum(map(len, asked.values()))
    with capsys.disabled():
        print(f"\n{total - len(LEFT)} of {total} vectors in C++; left out: {LEFT}")  # noqa: T201
    assert _wrong(asked, answered) == []
    assert len(LEFT) == 8


def test_every_case_that_is_left_out_is_refused_by_name(answered: dict[str, Answers]) -> None:
    for case, why in LEFT.items():
        name, _, title = case.partition("/")
        refused = answered[name].said[title]["refused"]
        assert refused["status"] == 415
        assert why in refused["message"], case


def test_every_operation_is_asked() -> None:
    source = (SDK / "src" / "steps.cpp").read_text()
    words = {"label", "palette"}
    assert {*re.findall(r'op == "(\w+)"', source)} == {*host.BEFORE, *host.AFTER, *words}


def test_a_refusal_says_what_is_wrong(
    asked: dict[str, list[Case]], answered: dict[str, Answers]
) -> None:
    refused = [(name, case) for name in asked for case in asked[name] if case.refuses is not None]
    assert refused
    for name, case in refused:
        message = answered[name].said[case.name]["refused"]["message"]
        assert len(message.split()) >= 3, f"{name}/{case.name}"


def test_passes_in_the_wrong_order_are_noticed(
    files: dict[str, str],
    header: str,
    here: Programs,
    folder: Path,
    asked: dict[str, list[Case]],
    tmp_path: Path,
) -> None:
    right = (SDK / "src" / "pillow.cpp").read_text()
    assert right.count("if (!height_first(") == 1
    planted = {
        **{name: text for name, text in files.items() if name.startswith("inner/")},
        "inner/pillow.cpp": right.replace("if (!height_first(", "if (height_first("),
    }
    # Of two functions of one name, that of the first file is taken.
    right_ones = [here.folder / f"{name}.cpp.o" for name in ("inner-answers", "deploy_target")]
    both = ("-Wl,--allow-multiple-definition", *map(str, right_ones))
    library = here.environment["LD_LIBRARY_PATH"] + "/libonnxruntime.so.1"
    wrong = cpp.built(
        planted,
        {"answers": ("inner/pillow.cpp",)},
        cpp.gxx(),
        Workspace(tmp_path / "workspace"),
        compile=("-O1", *INNER, header),
        link=(*both, library, *LIBRARIES),
    )
    (tmp_path / "answers").mkdir()
    found = _answers(
        Programs(wrong, (), here.environment), folder, tmp_path / "answers", ["resize"]
    )
    assert len(_wrong({"resize": asked["resize"]}, found)) > 1


def test_an_emulated_arm_gives_the_same_answers(
    arm: Programs, folder: Path, asked: dict[str, list[Case]], tmp_path: Path
) -> None:
    assert _wrong(asked, _answers(arm, folder, tmp_path)) == []


def _answers(
    programs: Programs, folder: Path, into: Path, names: list[str] | None = None
) -> dict[str, Answers]:
    asked = names or sorted(file.stem for file in folder.iterdir())
    ran = programs.run("answers", "vectors", folder, into, *asked)
    assert ran.returncode == 0, ran.stderr[-4000:]
    return {name: _read((into / f"{name}.safetensors").read_bytes()) for name in asked}


def _read(data: bytes) -> Answers:
    length = int.from_bytes(data[:8], "little")
    head = json.loads(data[8 : 8 + length])
    return Answers(load(data), json.loads(head["__metadata__"]["answers"]))


def _wrong(asked: Mapping[str, list[Case]], answered: Mapping[str, Answers]) -> list[str]:
    """A line for each case that is not satisfied, but for those that are left out."""
    lines = [
        (f"{name}/{case.name}", _complaint(case, answered[name]))
        for name, cases in asked.items()
        for case in cases
        if f"{name}/{case.name}" not in LEFT
    ]
    return [f"{case}: {complaint}" for case, complaint in lines if complaint]


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
