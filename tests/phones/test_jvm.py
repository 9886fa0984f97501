"""Raw bytes to words by the app's Kotlin in a JVM, with LiteRT answering for the artifact."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from deploy_targets.phones import jvm
from deploy_targets.phones.jvm import JvmRefused, JvmSession
from deploy_targets.phones.runner import started
from deploy_targets.records import Array, Bundle, Call, Tensors
from deploy_targets.resources import resource
from deploy_targets.runtime import Session
from deploy_targets.stages import host
from deploy_targets.targets.tflite.places import WORLD
from deploy_targets.workspace import Workspace
from tests.targets.tflite.written import bundle, original

TABLE: dict[str, Any] = {
    "columns": ["a", "b", "c", "d"],
    "categories": {"d": ["low", "high"]},
    "optional": [],
    "missing": [""],
    "unknown": "refuse",
    "extra": "refuse",
    "header": True,
    "delimiter": ",",
    "max_rows": 100,
}
BEFORE = [
    {"op": "decode_table", "options": TABLE},
    {"op": "standardise", "options": {"mean": [0.5], "scale": [2.0]}},
    {"op": "cast", "options": {"dtype": "float32"}},
]
LABEL = {"says": "classes", "labels": ["x", "y", "z"], "zeros": True, "space": None}
AFTER = [
    {"op": "softmax", "of": "y", "options": {"axis": -1}},
    {"op": "top_k", "of": "y", "options": {"k": 2}},
    {"op": "label", "of": "y", "options": LABEL},
]
GIVES = [("y.scores", "float32"), ("y.indices", "int64"), ("next", "int32"), ("off", "bool")]
SHEET = b"a,b,c,d\n1,2,3,low\n4,5,6,high\n-1,0.5,1e1,low\n"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Bundle, Session]]:
    made = bundle(tmp_path_factory.mktemp("jvm") / "bundle")
    said = {
        "inputs": {"x": {"media": ["text/csv"], "host": BEFORE, "graph": None}},
        "graph": None,
        "host": AFTER,
        "gives": [{"name": name, "dtype": dtype, "shape": ["batch"]} for name, dtype in GIVES],
        "single": False,
    }
    (made.path / "steps.json").write_text(json.dumps(said))
    shutil.copytree(resource("mobile", "android", "core"), made.path / "android" / "core")
    with started(WORLD, Workspace()) as runner, runner.open(made, "litert-1t") as session:
        yield made, session


@pytest.fixture(scope="module")
def asked(opened: tuple[Bundle, Session]) -> Iterator[tuple[JvmSession, list[str]]]:
    """The JVM, and which entries it asked."""
    made, session = opened
    entries: list[str] = []

    def ask(entry: str, tensors: Tensors) -> Tensors:
        entries.append(entry)
        return session.run(Call("asked", entry, tensors)).outputs

    with jvm.session(made.path, ask, Workspace()) as talking:
        yield talking, entries


def test_tensors_are_split_into_the_batches_that_the_file_takes(
    asked: tuple[JvmSession, list[str]],
) -> None:
    talking, entries = asked
    entries.clear()
    given = _given(5)
    found = talking.run(given)
    assert entries == ["b2", "b2", "b1"]
    expected = original(given)
    assert {name: found[name].dtype for name in found} == {n: e.dtype for n, e in expected.items()}
    for name, want in expected.items():
        np.testing.assert_allclose(found[name], want, rtol=1e-5, atol=1e-6)


def test_raw_bytes_are_answered_as_the_reference_does(
    asked: tuple[JvmSession, list[str]],
) -> None:
    talking, _ = asked
    rest = {name: array for name, array in _given(3).items() if name != "x"}
    said = talking.predict({"x": np.frombuffer(SHEET, np.uint8), **rest})
    x = host.before(BEFORE, SHEET, {})
    want = host.after(AFTER, original({"x": x, **rest}), {})
    assert set(said.tensors) == set(want)
    for name, array in want.items():
        assert said.tensors[name].dtype == array.dtype
        np.testing.assert_allclose(said.tensors[name], array, rtol=1e-5)
    best = [[one["label"] for one in row] for row in said.words["y"]]
    assert best == [["xyz"[int(i)] for i in row] for row in want["y.indices"]]
    assert said.words["next"] == want["next"].tolist()


def test_what_cannot_be_taken_is_refused_and_the_next_question_answered(
    asked: tuple[JvmSession, list[str]],
) -> None:
    talking, _ = asked
    rest = {name: array for name, array in _given(1).items() if name != "x"}
    wrong = np.frombuffer(b"a,b,c,d\n1,2,3,none\n", np.uint8)
    with pytest.raises(JvmRefused, match="input \"x\": row 1, column 'd'") as refused:
        talking.predict({"x": wrong, **rest})
    assert refused.value.status == 422
    assert talking.run(_given(1))["y"].shape == (1, 3)


def test_a_wrong_tensor_is_named(asked: tuple[JvmSession, list[str]]) -> None:
    talking, _ = asked
    given = _given(1)
    with pytest.raises(JvmRefused, match=r'"x" is float64 \[1, 4\], expected float32 \[batch, 4\]'):
        talking.run({**given, "x": given["x"].astype(np.float64)})


def test_an_artifact_that_fails_is_no_answer(
    opened: tuple[Bundle, Session],
) -> None:
    def broken(entry: str, tensors: Tensors) -> Tensors:
        raise RuntimeError(f"no {entry}")

    with (
        jvm.session(opened[0].path, broken, Workspace()) as talking,
        pytest.raises(RuntimeError, match="no b1"),
    ):
        talking.run(_given(1))


def _given(size: int) -> dict[str, Array]:
    draw = np.random.default_rng(size)
    return {
        "x": draw.normal(size=(size, 4)).astype(np.float32),
        "token": draw.integers(0, 9, size).astype(np.int32),
        "use": draw.integers(0, 2, size).astype(bool),
    }
