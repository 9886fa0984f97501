"""The binding in C++ asks what the one in Python asks, and puts the answers together as it does."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import bundle as bundles
from deploy_targets.binding import encode
from deploy_targets.records import (
    Array,
    Case,
    DynamicAxis,
    Entry,
    Port,
    Signature,
    TensorSpec,
)

from . import written
from .conftest import Programs

SIGNATURE = Signature(
    (TensorSpec("x", "float32", ("batch", 2, 3)), TensorSpec("ids", "int64", ("batch",))),
    (TensorSpec("y", "float32", ("batch", 3)), TensorSpec("n", "int64", ("batch",))),
    (DynamicAxis("batch", 1, 7),),
    "batch",
)


def entry(size: int) -> Entry:
    """So many at a time, other names, another layout, integers of 32 bits."""

    def port(name: str, of: str, dtype: str, shape: tuple[int, ...], *axes: int) -> Port:
        return Port(TensorSpec(name, dtype, shape), of, axes or None)

    return Entry(
        f"b{size}",
        (port("in", "x", "float32", (size, 3, 2), 0, 2, 1), port("i", "ids", "int32", (size,))),
        (port("out", "y", "float32", (3, size), 1, 0), port("k", "n", "int32", (size,))),
    )


def asked(here: Programs, tmp_path: Path, cases: list[Case]) -> tuple[dict[str, Array], Array]:
    """What C++ makes of cases, given the artifact's answers as Python expects them."""
    folder = tmp_path / "bundle"
    whole = written.bundle(folder, raw=False)
    entries = (entry(4), entry(1))
    sealed = bundles.seal(
        folder,
        replace(whole.manifest, signatures={"tensors": SIGNATURE}, entries=entries),
        {},
    )
    tensors = {
        f"{case.name}/in/{name}": array for case in cases for name, array in case.inputs.items()
    }
    for case in cases:
        if case.outputs:
            for i, check in enumerate(encode(SIGNATURE, entries, case)):
                back = {f"{case.name}/{i}/out/{name}": a for name, a in check.expected.items()}
                tensors |= {
                    k: a.astype(np.int32) if a.dtype == np.int64 else a for k, a in back.items()
                }
    questions, answers = tmp_path / "questions", tmp_path / "answers"
    bundles.write_tensors(questions, tensors, cases=json.dumps([case.name for case in cases]))
    ran = here.run("answers", "bind", sealed.path / bundles.MANIFEST, questions, answers)
    assert ran.returncode == 0, ran.stderr
    head = answers.read_bytes()
    said = json.loads(head[8 : 8 + int.from_bytes(head[:8], "little")])["__metadata__"]["answers"]
    return bundles.read_tensors(answers), json.loads(said)


def case_of(size: int) -> Case:
    draw = np.random.default_rng(size)
    x = draw.normal(size=(size, 2, 3)).astype(np.float32)
    ids = draw.integers(-9, 9, size)
    return Case(f"n{size}", "made", {"x": x, "ids": ids}, {"y": x.sum(1), "n": ids * 2})


def test_calls_are_pythons_and_answers_come_back_whole(here: Programs, tmp_path: Path) -> None:
    cases = [case_of(size) for size in (1, 3, 4, 5, 7)]
    made, said = asked(here, tmp_path, cases)
    assert said == {}
    calls = 0
    for case in cases:
        for i, check in enumerate(encode(SIGNATURE, (entry(4), entry(1)), case)):
            calls += 1
            for name, array in check.call.inputs.items():
                got = made[f"{case.name}/{i}/{check.call.entry}/in/{name}"]
                assert got.dtype == array.dtype
                np.testing.assert_array_equal(got, array)
        for name, array in case.outputs.items():
            np.testing.assert_array_equal(made[f"{case.name}/whole/{name}"], array)
            assert made[f"{case.name}/whole/{name}"].dtype == array.dtype
    assert calls == 1 + 3 + 1 + 2 + 4


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ({"ids": np.array([1])}, 'input "x" is missing: expected float32 [batch, 2, 3]'),
        ({"z": np.zeros(1)}, 'no input is named "z"; this model takes "x", "ids"'),
        ({"x": np.zeros((1, 3, 2), "f4")}, 'input "x" is float32 [1, 3, 2], expected float32'),
        ({"x": np.zeros((1, 2, 3))}, 'input "x" is float64 [1, 2, 3], expected float32'),
        ({"x": np.zeros((8, 2, 3), "f4"), "ids": np.zeros(8, int)}, "batch must be 1 to 7"),
        ({"x": np.zeros((2, 2, 3), "f4"), "ids": np.zeros(3, int)}, "batch is 3 elsewhere"),
        ({"x": np.zeros((1, 2, 3), "f4"), "ids": np.array([2**31])}, "which is beyond int32"),
    ],
)
def test_what_the_model_does_not_take_is_named(
    here: Programs, tmp_path: Path, inputs: dict[str, Array], says: str
) -> None:
    given: dict[str, Array] = {"ids": np.zeros(1, int)} | inputs
    if says.startswith("no input") or "beyond" in says:
        given = {"x": np.zeros((1, 2, 3), "f4")} | given
    _, said = asked(here, tmp_path, [Case("wrong", "made", given, {})])
    assert says in said["wrong"] or says.replace("3 elsewhere", "2 elsewhere") in said["wrong"]
