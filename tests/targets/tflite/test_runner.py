"""The lanes: LiteRT here, LiteRT on an emulated ARM, the last tflite-runtime, and phones."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import bundle as bundles
from deploy_targets.errors import NotRun
from deploy_targets.integrations import qemu
from deploy_targets.parity.rows import overall
from deploy_targets.parity.verify import verify
from deploy_targets.phones.runner import Patience, RuntimeRefused, started
from deploy_targets.records import BYTES, Array, Bundle, Call
from deploy_targets.runtime import Runner
from deploy_targets.targets.tflite.places import DEVICES, WORLD
from deploy_targets.testing import faults
from deploy_targets.verdicts import Row, Verdict
from deploy_targets.workspace import Workspace

from .written import Spoilt, bundle, cases, original

HERE = ("litert-1t", "litert-2t")
ARM, OLD = "qemu-cortex-a53", "tflite-2.14"


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with started(WORLD, Workspace()) as runner:
        yield runner


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return bundle(tmp_path_factory.mktemp("right") / "bundle")


@pytest.fixture(scope="module")
def judged(right: Bundle, runner: Runner) -> Mapping[str, Row]:
    """All lanes at once, for the tests that only look."""
    return {row.lane: row for row in verify(right, runner)}


def test_every_lane_that_runs_here_passes(judged: Mapping[str, Row], right: Bundle) -> None:
    verdicts = {lane: (row.verdict, row.reason) for lane, row in judged.items()}
    assert {lane: said for lane, said in verdicts.items() if said != (Verdict.PASS, "")} == {
        lane: (Verdict.NOT_RUN, judged[lane].reason) for lane in DEVICES
    }
    assert overall(right.manifest.lanes, judged.values()) is Verdict.PASS


@pytest.mark.parametrize(
    ("lane", "where"),
    [
        ("litert-1t", r"ai-edge-litert 2\.3\.0, XNNPACK, 1 thread, Python 3\.\d+\.\d+ on "),
        ("litert-2t", r"ai-edge-litert 2\.3\.0, XNNPACK, 2 threads, Python 3\.\d+\.\d+ on "),
        (OLD, r"tflite-runtime 2\.14\.0, XNNPACK, 1 thread, Python 3\.(9|10|11)\.\d+ on "),
        (ARM, r"ai-edge-litert 2\.1\.6, XNNPACK, .* on arm64 emulated by qemu.* as cortex-a53$"),
    ],
)
def test_a_row_says_what_really_ran(judged: Mapping[str, Row], lane: str, where: str) -> None:
    assert re.match(where, judged[lane].where)


def test_time_and_memory_are_measured_here_and_never_where_they_are_emulated(
    judged: Mapping[str, Row],
) -> None:
    for lane in ("litert-1t", OLD):
        seconds = judged[lane].seconds
        assert seconds is not None
        assert 0 < seconds < 0.1
        (note,) = judged[lane].notes
        found = re.match(r"loaded in \d+ ms; memory at its peak (\d+) MB, (\d+) MB of it", note)
        assert found
        # Of this file alone, whatever the process that started it holds.
        assert int(found[2]) <= int(found[1]) < 150
    assert judged[ARM].seconds is None
    assert "MB" not in " ".join(judged[ARM].notes)


@pytest.mark.parametrize("lane", ["litert-1t", OLD, ARM])
def test_one_wrong_weight_fails(tmp_path: Path, runner: Runner, lane: str) -> None:
    wrong = bundle(tmp_path / "bundle", spoilt=Spoilt(weight=1e-3))
    (row,) = verify(wrong, runner, [lane])
    assert row.verdict is Verdict.FAIL
    assert row.reason.startswith("y of case")


@pytest.mark.parametrize(
    "name", ["nan_in_one_element", "batch_reversed", "output_missing", "dtype_changed"]
)
def test_a_session_with_a_fault_is_refused(
    right: Bundle, runner: Runner, tmp_path: Path, name: str
) -> None:
    planted = faults.plant(faults.FAULTS[name], right, runner, tmp_path / name)
    assert planted
    rows = verify(right, planted.runner, ["litert-1t"])
    assert [row.verdict for row in rows] == [Verdict.FAIL]


def test_a_file_that_only_newer_runtimes_read_fails_in_the_old_lane_alone(
    tmp_path: Path, runner: Runner
) -> None:
    newer = bundle(tmp_path / "bundle", spoilt=Spoilt(versions={"FULLY_CONNECTED": 12}))
    rows = {row.lane: row for row in verify(newer, runner, (*HERE, OLD))}
    assert {lane: row.verdict for lane, row in rows.items()} == {
        "litert-1t": Verdict.PASS,
        "litert-2t": Verdict.PASS,
        OLD: Verdict.FAIL,
    }
    assert "needs a newer runtime than TensorFlow Lite 2.14" in rows[OLD].reason
    assert "'FULLY_CONNECTED' version '12'" in rows[OLD].reason
    assert overall(newer.manifest.lanes, rows.values()) is Verdict.PASS


def test_a_graph_of_which_xnnpack_takes_nothing_is_said_to_be_without_it(
    tmp_path: Path, runner: Runner
) -> None:
    plain = bundle(tmp_path / "bundle", spoilt=Spoilt(plain=True))
    (row,) = verify(plain, runner, ["litert-1t"])
    assert ", without XNNPACK, " in row.where
    assert row.notes[0].startswith("XNNPACK took no part of the graph")


def inputs(size: int) -> dict[str, Array]:
    return dict(cases([size])[0].inputs)


def test_every_signature_is_asked_by_the_names_in_it(right: Bundle, runner: Runner) -> None:
    with runner.open(right, "litert-1t") as session:
        for size in (2, 1, 2):
            answer = session.run(Call("it", f"b{size}", inputs(size)))
            wanted = original(inputs(size))
            assert {name: array.dtype for name, array in answer.outputs.items()} == {
                name: array.dtype for name, array in wanted.items()
            }
            for name, array in wanted.items():
                np.testing.assert_allclose(answer.outputs[name], array, rtol=1e-6)


@pytest.mark.parametrize(
    ("entry", "change", "why"),
    [
        ("b9", {}, r"no signature 'b9'; it has \['b1', 'b2'\]"),
        ("b1", inputs(2), r"given \{'x': 'float32\[2, 4\]'"),
        ("b1", {"token": np.zeros(1, np.int64)}, r"'token': 'int64\[1\]'"),
        ("b1", {"y": np.zeros(1, np.float32)}, "the file takes"),
    ],
)
def test_what_the_file_does_not_take_is_refused_and_the_next_call_is_answered(
    right: Bundle, runner: Runner, entry: str, change: dict[str, Array], why: str
) -> None:
    with runner.open(right, "litert-1t") as session:
        with pytest.raises(RuntimeRefused, match=f"odd/0: .*{why}"):
            session.run(Call("odd/0", entry, {**inputs(1), **change}))
        assert session.run(Call("even/0", "b1", inputs(1))).outputs.keys() == {"y", "next", "off"}


def test_a_file_that_is_none_is_refused_by_every_interpreter(
    tmp_path: Path, runner: Runner
) -> None:
    broken = bundle(tmp_path / "bundle")
    (broken.path / "model.tflite").write_bytes(b"no model at all")
    for row in verify(broken, runner, (*HERE, OLD)):
        assert row.verdict is Verdict.FAIL
        assert row.reason.startswith("RuntimeRefused: the file was not loaded")


@pytest.mark.skipif(os.name != "posix", reason="signals have these names on POSIX alone")
def test_a_crash_of_the_interpreter_fails_its_lane_with_its_last_words(
    right: Bundle, tmp_path: Path
) -> None:
    crashing = tmp_path / "crashing.py"
    crashing.write_text(
        WORLD.asked.read_text(encoding="utf-8").replace(
            "        answer: dict[str, Any] = runner(**tensors)\n",
            "        print('what it said last', flush=True)\n"
            "        __import__('ctypes').string_at(0)\n",
        )
    )
    world = dataclasses.replace(WORLD, asked=crashing)
    with started(world, Workspace()) as runner:
        rows = verify(right, runner, HERE)
    assert [row.verdict for row in rows] == [Verdict.FAIL] * 2
    for row in rows:
        assert "the runtime was killed by SIGSEGV; its last words: " in row.reason
        assert "what it said last" in row.reason


def test_fewer_processors_than_threads_answer_without_a_time(
    right: Bundle, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    rows = {row.lane: row for row in verify(right, runner, HERE)}
    assert rows["litert-1t"].seconds is not None
    assert rows["litert-2t"].seconds is None
    assert "fewer processors than threads" in rows["litert-2t"].notes[0]


def test_what_an_emulated_arm_is_not_asked_is_said(right: Bundle) -> None:
    options = {**right.manifest.options, "arm_cases": ["case3"]}
    some = dataclasses.replace(right, manifest=dataclasses.replace(right.manifest, options=options))
    calls = [check.call.name for check in bundles.read_golden(some)]
    with started(WORLD, Workspace(), Patience(share=0.0)) as runner:
        (row,) = verify(some, runner, [ARM])
    assert row.verdict is Verdict.PASS
    named = {name for name in calls if name.startswith("case3/")}
    assert {parity.call for parity in row.parity} == {calls[0], *named}
    left = len(calls) - len(named) - 1
    assert left
    assert any(note.startswith(f"not run: {left} of {len(calls)} cases, for") for note in row.notes)


def test_an_emulated_arm_that_takes_too_long_says_nothing_of_the_file(right: Bundle) -> None:
    with started(WORLD, Workspace(), Patience(emulated=0.5)) as runner:
        (row,) = verify(right, runner, [ARM])
    assert row.verdict is Verdict.NOT_RUN
    assert 'arm = "none"' in row.reason


def test_without_an_emulator_the_lane_is_not_run_and_says_how_to_get_one(
    right: Bundle, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qemu.shutil, "which", lambda name: None)
    (row,) = verify(right, runner, [ARM])
    assert row.verdict is Verdict.NOT_RUN
    assert "apt-get install qemu-user-static" in row.reason


def test_steps_from_raw_bytes_are_asked_in_the_lanes_of_this_machine_alone(
    right: Bundle, runner: Runner
) -> None:
    raw = dataclasses.replace(right.manifest.entries[0], name="predict", golden=BYTES)
    whole = dataclasses.replace(
        right.manifest,
        entries=(*right.manifest.entries, raw),
        signatures={**right.manifest.signatures, BYTES: right.manifest.signature},
    )
    with runner.open(dataclasses.replace(right, manifest=whole), OLD) as session:
        assert "litert-1t" in session.run(Call("photo/0", "predict", {})).skipped
        assert session.run(Call("even/0", "b1", inputs(1))).outputs


@pytest.mark.parametrize("lane", DEVICES)
def test_phones_are_not_run_and_it_is_said_how_they_are_judged(
    right: Bundle, runner: Runner, lane: str
) -> None:
    with pytest.raises(NotRun, match="asked elsewhere") as not_run, runner.open(right, lane):
        pass
    assert "deploy-target verify BUNDLE --actual FILE" in not_run.value.hint
