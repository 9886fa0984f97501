"""Test vectors: the same bytes every time, satisfied by the graphs, and not by usual mistakes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from deploy_targets.records import Stage, TensorSpec
from deploy_targets.stages import graphs, host
from deploy_targets.stages.variants import INSTEAD, variants
from deploy_targets.testing import vectors
from deploy_targets.testing.vectors import Case

PAGE = Path(__file__).parent.parent.parent / "docs" / "preprocessing.md"
USERS_OWN = {"own"}
"""Operations of which only the user has vectors."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Case]]:
    written = vectors.write(tmp_path_factory.mktemp("vectors"))
    return {file.stem: vectors.read(file) for file in written}


@pytest.fixture(scope="module")
def cases(files: dict[str, list[Case]]) -> list[Case]:
    return [case for several in files.values() for case in several]


def told(stages: tuple[Stage, ...] | list[Stage]) -> tuple[dict[str, Any], ...]:
    return tuple({"op": s.op, "of": s.of, "options": dict(s.options)} for s in stages)


def stages_of(case: Case) -> list[Stage]:
    return [Stage(step["of"], step["op"], step["options"]) for step in case.steps]


def test_two_processes_write_the_same_bytes(tmp_path: Path) -> None:
    again = tmp_path / "again"
    command = [sys.executable, "-m", "deploy_targets.testing.vectors", str(again)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    written = vectors.write(tmp_path / "here")
    assert written
    assert said.startswith(f"{len(written)} files")
    assert {file.name for file in again.iterdir()} == {file.name for file in written}
    for file in written:
        assert file.read_bytes() == (again / file.name).read_bytes(), file.name


def test_they_are_small_enough_to_be_made_in_every_run(tmp_path: Path) -> None:
    assert sum(file.stat().st_size for file in vectors.write(tmp_path)) < 2 * 2**20


def test_every_operation_has_a_file_with_several_cases(files: dict[str, list[Case]]) -> None:
    operations = {*host.BEFORE, *host.AFTER} - USERS_OWN
    chains = {name for name in files if name.startswith("chain-")}
    assert set(files) == operations | chains | {"words"}
    assert len(chains) == 4
    for name, several in files.items():
        assert len(several) >= 2, name
        for case in several if name in operations else []:
            assert [step["op"] for step in case.steps] == [name]


def test_what_is_read_is_what_was_written(files: dict[str, list[Case]], tmp_path: Path) -> None:
    from deploy_targets.testing.vectors.case import save

    for name, several in files.items():
        save(several, tmp_path / name)
        again = vectors.read(tmp_path / name)
        assert [case.digest for case in again] == [case.digest for case in several]


def test_python_satisfies_what_was_read(cases: list[Case]) -> None:
    for case in cases:
        if case.refuses is None:
            assert vectors.wrong(case, *vectors.answer(case)) == "", case.name


def test_what_must_be_refused_is_refused_with_the_same_status(cases: list[Case]) -> None:
    refused = [case for case in cases if case.refuses is not None]
    assert {case.refuses["status"] for case in refused if case.refuses} == {413, 415, 422}
    for case in refused:
        assert case.refuses
        assert case.refuses["about"]
        assert not case.outputs
        with pytest.raises(host.Refused) as error:
            vectors.answer(case)
        assert error.value.status == case.refuses["status"], case.name


# The graphs


def graph_of(case: Case) -> Callable[[Case], dict[str, Any]] | None:
    """The steps of a case in onnxruntime; None where one of them has no graph."""
    stages = [stage for stage in stages_of(case) if stage.op not in host.WORDS]
    known = graphs.BEFORE if case.side == "before" else graphs.AFTER
    if not stages or case.refuses or not {stage.op for stage in stages} <= set(known):
        return None
    if case.side == "before":
        given, made = case.inputs["value"], case.outputs["value"]
        model = graphs.before(stages, spec("value", given, "in"), spec("value", made, "out"))
    else:
        of = {name: spec(name, array, f"in_{name}") for name, array in case.inputs.items()}
        gives = [spec(name, array, f"out_{name}") for name, array in case.outputs.items()]
        model = graphs.after(stages, list(of.values()), gives)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [node.name for node in session.get_outputs()]

    def run(case: Case) -> dict[str, Any]:
        feeds = {f"{name}.given": array for name, array in case.inputs.items()}
        return dict(zip(names, session.run(names, feeds), strict=True))

    return run


def spec(name: str, array: Any, side: str) -> TensorSpec:
    return TensorSpec(name, array.dtype.name, tuple(f"{side}_{i}" for i in range(array.ndim)))


def alike(case: Case) -> str:
    """What one graph can be asked."""
    given = {name: [array.dtype.str, array.ndim] for name, array in case.inputs.items()}
    made = {name: [array.dtype.str, array.ndim] for name, array in case.outputs.items()}
    return json.dumps([case.side, case.steps, given, made], sort_keys=True)


def test_the_graphs_satisfy_every_vector_of_an_operation_that_has_one(
    files: dict[str, list[Case]],
) -> None:
    asked: dict[str, int] = defaultdict(int)
    for name, several in files.items():
        groups = defaultdict(list)
        for case in several:
            if case.side != "words":
                groups[alike(case)].append(case)
        for group in groups.values():
            sound = [case for case in group if case.refuses is None]
            run = graph_of(sound[0]) if sound else None
            for case in sound if run else []:
                assert run is not None
                assert vectors.wrong(case, run(case), None) == "", f"{name}: {case.name}"
                asked[name] += 1
    operations = {*graphs.BEFORE, *graphs.AFTER} - {"module"}
    assert operations <= set(asked)
    assert asked["chain-answers"] > 0


# Mistakes


def shown(several: list[Case], stages: tuple[Stage, ...]) -> bool:
    """Whether a case is not satisfied by these steps in place of its own."""
    for case in several:
        try:
            said = vectors.answer(replace(case, steps=told(stages)))
        except host.Refused as refusal:
            if case.refuses is None or refusal.status != case.refuses["status"]:
                return True
        except (AssertionError, ValueError, IndexError, KeyError):
            return True
        else:
            if case.refuses is not None or vectors.wrong(case, *said):
                return True
    return False


def unseen(several: list[Case]) -> list[str]:
    """The usual mistakes in the steps of these cases which none of them shows."""
    groups: dict[Any, list[Case]] = defaultdict(list)
    seen: dict[str, bool] = defaultdict(bool)
    for case in several:
        groups[case.side, json.dumps(case.steps)].append(case)
    for group in groups.values():
        for variant in variants(stages_of(group[0])):
            # Not each of them is one everywhere: with or without antialias, nearest is nearest.
            seen[variant.said] = seen[variant.said] or shown(group, variant.stages)
    assert len(seen) >= 2
    return [said for said, found in seen.items() if not found]


@pytest.mark.parametrize("medium", ["image", "audio", "table", "answers"])
def test_every_usual_mistake_in_a_chain_shows(files: dict[str, list[Case]], medium: str) -> None:
    assert unseen(files[f"chain-{medium}"]) == []


@pytest.mark.parametrize("operation", sorted({op for op, _ in INSTEAD}))
def test_every_mistaken_option_shows_in_the_file_of_its_operation(
    files: dict[str, list[Case]], operation: str
) -> None:
    assert unseen(files[operation]) == []


# The contract


def consumer() -> dict[str, Any]:
    """What the code in the documentation defines."""
    section = PAGE.read_text().split("## Test vectors")[1]
    (block,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)
    return names


def test_the_documented_code_judges_as_the_package_does(tmp_path: Path) -> None:
    names, judged = consumer(), 0
    for file in vectors.write(tmp_path):
        known = {case.name: case for case in vectors.read(file)}
        for name, said, tensors in names["cases"](str(file)):
            case = known.pop(name)
            if case.refuses is not None or case.side == "words":
                continue
            assert said["steps"] == list(case.steps)
            outputs, _ = vectors.answer(case)
            for of, tolerance in said["tolerance"].items():
                expected = tensors[f"out/{of}"]
                assert names["right"](tolerance, expected, outputs[of]), name
                off = moved(expected, 3 * tolerance.get("value", 0.0))
                assert bool(names["right"](tolerance, expected, off)) == (
                    vectors.wrong(case, {**outputs, of: off}, None) == ""
                ), name
                assert not expected.size or not names["right"](tolerance, expected, off), name
                judged += 1
        assert not known
    assert judged > 400


def moved(expected: Any, by: float) -> Any:
    """One element further off than is granted."""
    off = expected.copy()
    if off.size:
        numbers = np.nan_to_num(expected.astype(np.float64), posinf=0, neginf=0)
        at = np.unravel_index(np.abs(numbers).argmax(), off.shape)
        least = 1.0 if off.dtype.kind in "iu" else 1e-3 * max(1.0, np.abs(numbers).max())
        far = max(by * np.linalg.norm(numbers), by, least)
        off[at] = numbers[at] - far if numbers[at] > 0 else numbers[at] + far
    return off
