"""The judge in C++ decides as the one in Python does, on answers that are more or less wrong."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from deploy_targets.bundle import write_tensors

from ..mobile.test_kotlin_judge import _cases, _in_python, _sides
from .conftest import Programs


def test_cpp_judges_as_python_does(here: Programs, tmp_path: Path) -> None:
    cases = {f"case{i}": case for i, case in enumerate(_cases())}
    tensors = {f"{n}/{side}": a for n, case in cases.items() for side, a in _sides(case).items()}
    told = {
        name: {"bound": dataclasses.asdict(case.bound), "batch": case.batch, "kind": "plain"}
        for name, case in cases.items()
    }
    write_tensors(tmp_path / "questions", tensors, cases=json.dumps(told))
    ran = here.run("answers", "judge", tmp_path / "questions", tmp_path / "answers")
    assert ran.returncode == 0, ran.stderr[-3000:]
    said = json.loads((tmp_path / "answers").read_text())
    here_said = {name: _in_python(case) for name, case in cases.items()}
    assert len(cases) == 720
    assert 200 < sum(not reason for reason, _ in here_said.values()) < 520
    apart = {
        name: (reason, said[name]["reason"])
        for name, (reason, _) in here_said.items()
        if bool(reason) != bool(said[name]["reason"])
    }
    assert apart == {}
    for name, (_, distance) in here_said.items():
        found = float(said[name]["relative_l2"])
        assert np.isclose(found, distance, rtol=1e-6, atol=1e-12, equal_nan=True), name
