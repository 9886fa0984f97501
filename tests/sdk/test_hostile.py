"""Bytes from anybody: an answer or a refusal, and never a crash."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from deploy_targets.bundle import write_tensors
from deploy_targets.records import Array
from deploy_targets.testing import vectors

from .conftest import Programs

FILES = ("decode_image", "decode_audio", "decode_table")
MANY = 600


def test_damaged_files_are_answered_or_refused(here: Programs, tmp_path: Path) -> None:
    vectors.write(tmp_path / "vectors")
    cases = [
        case
        for name in FILES
        for case in vectors.read(tmp_path / "vectors" / f"{name}.safetensors")
        if case.inputs["bytes"].size
    ]
    draw, tensors, said = np.random.default_rng(0), {}, {}
    for number in range(MANY):
        case = cases[number % len(cases)]
        tensors[f"case{number}/in/bytes"] = damaged(draw, case.inputs["bytes"])
        steps = [dict(step) for step in case.steps]
        said[f"case{number}"] = {"side": "before", "steps": steps, "single": True, "frame": {}}
    write_tensors(tmp_path / "hostile.safetensors", tensors, vectors=json.dumps(said))
    (tmp_path / "answers").mkdir()
    ran = here.run("answers", "vectors", tmp_path, tmp_path / "answers", "hostile")
    assert ran.returncode == 0, ran.stderr[-2000:]
    data = (tmp_path / "answers" / "hostile.safetensors").read_bytes()
    head = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    found = json.loads(head["__metadata__"]["answers"])
    kinds = {name: next(iter(one)) for name, one in found.items()}
    assert len(kinds) == MANY
    assert {name: found[name] for name, kind in kinds.items() if kind == "failed"} == {}
    refused = sum(kind == "refused" for kind in kinds.values())
    assert MANY // 2 < refused < MANY
    assert {one["refused"]["status"] for one in found.values() if "refused" in one} <= {
        413,
        415,
        422,
    }


def damaged(draw: np.random.Generator, data: Array) -> Array:
    """Cut off somewhere, or with some bytes changed, which are often those of the header."""
    made, kind = data.copy(), draw.integers(4)
    if kind > 0:
        where = draw.integers(0, min(len(made), 80) if kind == 1 else len(made), 4)
        made[where] = draw.choice([0, 1, 127, 128, 255, *draw.integers(0, 256, 3)], 4)
    return made[: draw.integers(len(made))] if kind in (0, 3) else made
