"""The judge in Kotlin decides as the one in Python does, on answers that are more or less wrong."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from deploy_targets.bundle import write_tensors
from deploy_targets.integrations import kotlin
from deploy_targets.parity import judge
from deploy_targets.parity.rows import measured
from deploy_targets.records import Answer, Array, Call, Check, Entry, Port, Signature, TensorSpec
from deploy_targets.verdicts import Bound
from deploy_targets.workspace import Workspace

from .test_kotlin import HARNESS, JUNIT, MAIN, TESTS

SHAPES = ((), (7,), (3, 40), (2, 5, 6), (1, 4, 3, 9))
FLOATS = ("float32", "float64", "float16")


@dataclasses.dataclass(frozen=True)
class Asked:
    """One answer to be judged."""

    want: Array
    got: Array
    noise: Array | None
    bound: Bound
    batch: int | None


def test_kotlin_judges_as_python_does(tmp_path: Path) -> None:
    cases = {f"case{i}": case for i, case in enumerate(_cases())}
    said = _in_kotlin(cases, tmp_path)
    here = {name: _in_python(case) for name, case in cases.items()}
    assert len(cases) == 720
    passed = [name for name, (reason, _) in here.items() if not reason]
    assert 200 < len(passed) < 520, len(passed)
    apart = {
        name: (reason, said[name]["reason"])
        for name, (reason, _) in here.items()
        if bool(reason) != bool(said[name]["reason"])
    }
    assert apart == {}
    for name, (_, distance) in here.items():
        found = float(said[name]["relative_l2"])
        assert np.isclose(found, distance, rtol=1e-6, atol=1e-12, equal_nan=True), name


def _cases() -> Iterator[Asked]:
    draw = np.random.default_rng(0)
    for number in range(600):
        shape = SHAPES[number % len(SHAPES)]
        dtype = FLOATS[number // len(SHAPES) % len(FLOATS)]
        want = np.asarray(draw.normal(0, 10.0 ** draw.integers(-3, 4), shape)).astype(dtype)
        noise = np.abs(np.asarray(draw.normal(0, 1e-5, shape)) * np.abs(want)).astype(np.float32)
        got = want + noise * np.asarray(draw.normal(0, 10.0 ** draw.uniform(-1, 2), shape))
        if number % 4 == 0:
            flat = np.atleast_1d(got).reshape(-1)
            flat[draw.integers(flat.size)] += draw.choice([1e-3, 1.0, np.nan, np.inf])
            got = flat.reshape(shape)
        yield Asked(
            np.asarray(want),
            np.asarray(got).astype(dtype),
            None if number % 7 == 0 else noise,
            _bound(draw, number),
            None if number % 3 or not shape else int(draw.integers(len(shape))),
        )
    for number in range(120):
        want = draw.integers(0, 5, SHAPES[1 + number % 4]).astype("int64")
        wrong = draw.random(want.shape) < draw.choice([0, 0.02, 0.1])
        noise = (draw.random(want.shape) < 0.02).astype(np.float32)
        got = np.where(wrong, want + 1, want)
        yield Asked(want, got, None if number % 2 else noise, _bound(draw, number), None)


def _bound(draw: np.random.Generator, number: int) -> Bound:
    return Bound(
        relative_l2=float(draw.choice([1e-6, 1e-4, 1e-2])),
        whole=judge.WHOLE,
        part=judge.PART,
        element=judge.ELEMENT,
        budget=float(draw.choice([0.0, 0.0, 1e-3])),
        jumps=float(draw.choice([0.0, 0.0, 0.05])),
        jump=float(draw.choice([0.0, 2.0])),
    )


def _in_python(case: Asked) -> tuple[str, float]:
    names = tuple("abcd"[: case.want.ndim])
    batch = None if case.batch is None else names[case.batch]
    spec = TensorSpec("y", case.want.dtype.name, names)
    port = Port(spec, "y")
    noise = {} if case.noise is None else {"y": case.noise}
    check = Check("tensors", Call("call", "main", {}), {"y": case.want}, noise)
    entry = Entry("main", (), (port,))
    signature = Signature((), (spec,), (), batch)
    (found,) = measured(check, Answer({"y": case.got}), entry, signature, {"y": case.bound})
    return judge.reason(found, case.bound), found.relative_l2


def _in_kotlin(cases: dict[str, Asked], folder: Path) -> dict[str, dict[str, str]]:
    tensors = {f"{n}/{side}": a for n, c in cases.items() for side, a in _sides(c).items()}
    told = {
        name: {"bound": dataclasses.asdict(case.bound), "batch": case.batch, "kind": "plain"}
        for name, case in cases.items()
    }
    write_tensors(folder / "questions", tensors, cases=json.dumps(told))
    main = kotlin.compiled([MAIN], Workspace(), release=8)
    tests = kotlin.compiled([HARNESS, TESTS], Workspace(), classpath=JUNIT, friend=main)
    arguments = (str(folder / "questions"), str(folder / "answers"))
    command = kotlin.command("dev.deploytarget.core.JudgingKt", tests, *arguments)
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr[-3000:]
    found: dict[str, dict[str, str]] = json.loads((folder / "answers").read_text())
    return found


def _sides(case: Asked) -> dict[str, Array]:
    sides = {"want": case.want, "got": case.got}
    return sides if case.noise is None else {**sides, "noise": case.noise}
