"""The steps in Swift are held to the test vectors, by the same judge as everywhere.

No decoder of the platform is here: photos come as pixels that Pillow decoded, so that everything
behind a decoder is asked, and none is. FLAC and OGG, which this core refuses, are left out by name.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import Answers
from safetensors.numpy import load, save_file

from deploy_targets.integrations import swift
from deploy_targets.records import Array
from deploy_targets.stages.host import Refused
from deploy_targets.stages.host import image as reference
from deploy_targets.testing import vectors
from deploy_targets.testing.vectors import Case

PHOTOS = "photos.safetensors"
NOT_DECODED = {b"fLaC": "FLAC is not decoded by this core", b"OggS": "nor is OGG"}


@pytest.fixture
def folder(job: swift.Job) -> Path:
    made = job.build / "vectors"
    vectors.write(made)
    return made


@pytest.fixture
def asked(folder: Path) -> dict[str, list[Case]]:
    return {file.stem: vectors.read(file) for file in sorted(folder.iterdir())}


def test_swift_satisfies_every_case_but_those_named(
    answers: Answers,
    asked: dict[str, list[Case]],
    job: swift.Job,
    capsys: pytest.CaptureFixture[str],
) -> None:
    photos = {
        _digest(case): pixels
        for cases in asked.values()
        for case in cases
        if case.steps[0]["op"] == "decode_image"
        if (pixels := decoded(case.inputs["bytes"].tobytes())) is not None
    }
    save_file(photos, job.build / PHOTOS)
    (job.build / "answers").mkdir()
    answers(["vectors", *_inside("vectors", PHOTOS, "answers"), *asked])
    wrong, left, right = [], [], 0
    for name, cases in asked.items():
        outputs, said = _read(job.build / "answers" / f"{name}.safetensors")
        for case in cases:
            if why := left_out(case):
                assert said[case.name]["refused"]["status"] == 415
                left.append(f"{name}/{case.name}: {why}")
            elif complaint := _complaint(case, outputs, said[case.name]):
                wrong.append(f"{name}/{case.name}: {complaint}")
            else:
                right += 1
    with capsys.disabled():
        sys.stdout.write(f"\n{right} cases are right; for {_behind(asked, photos)} of them Pillow ")
        sys.stdout.write("decoded the photo; left out: " + ", ".join(left) + "\n")
    assert wrong == []
    assert len(left) == 6
    assert right == sum(map(len, asked.values())) - 6


def test_an_answer_that_is_wrong_is_noticed(asked: dict[str, list[Case]]) -> None:
    case = asked["softmax"][0]
    outputs = {f"{case.name}/{name}": array * 1.01 for name, array in case.outputs.items()}
    assert "off by relative_l2" in _complaint(case, outputs, {"frame": dict(case.frame_after)})


def decoded(data: bytes) -> Array | None:
    """What a platform's decoder gives: RGBA as it lies in the file; None where it cannot."""
    try:
        image = reference._opened(data)
        image.load()
        if image.mode.startswith("I"):
            image = reference._eight_bits(image)
    except (Refused, OSError, SyntaxError, ValueError):
        return None
    return np.asarray(image.convert("RGBA"))


def _digest(case: Case) -> str:
    return hashlib.sha256(case.inputs["bytes"].tobytes()).hexdigest()


def _behind(asked: dict[str, list[Case]], photos: dict[str, Array]) -> int:
    """How many answers come from pixels that were decoded elsewhere."""
    return sum(
        case.steps[0]["op"] == "decode_image" and case.refuses is None and _digest(case) in photos
        for cases in asked.values()
        for case in cases
    )


def left_out(case: Case) -> str:
    if case.steps[0]["op"] != "decode_audio":
        return ""
    return NOT_DECODED.get(case.inputs["bytes"].tobytes()[:4], "")


def _inside(*names: str) -> list[str]:
    return [f"{swift.BUILD}/{name}" for name in names]


def _read(file: Path) -> tuple[dict[str, Array], dict[str, dict[str, object]]]:
    data = file.read_bytes()
    head = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return load(data), json.loads(head["__metadata__"]["answers"])


def _complaint(case: Case, outputs: dict[str, Array], said: dict) -> str:
    if case.refuses is not None:
        right = said.get("refused", {}).get("status") == case.refuses["status"]
        return "" if right else f"expected a refusal with {case.refuses['status']}, got {said}"
    if "frame" not in said:
        return f"gave no answer: {said}"
    start = f"{case.name}/"
    own = {k.removeprefix(start): v for k, v in outputs.items() if k.startswith(start)}
    return vectors.wrong(case, own, said["frame"])
