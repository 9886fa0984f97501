"""A bundle, a runner, and what is made of its answers."""

from __future__ import annotations

import dataclasses
import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import bundle as bundles
from deploy_targets.errors import NotRun, ToolMissing
from deploy_targets.parity.verify import answers, merged, verify
from deploy_targets.records import Answer, Bundle, Call, Check, Lane, Tensors
from deploy_targets.verdicts import Verdict

from ..test_bundle import SIGNATURE, manifest

X = np.array([1, 2], np.float32)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """y = 2 x, asked twice in each of two goldens and two lanes."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    checks = [
        Check(golden, Call(f"{golden}-{n}/0", "main", {"x": X * n}), {"y": 2 * X * n})
        for golden in ("tensors", "bytes")
        for n in (1, 2)
    ]
    bundles.write_golden(folder, checks)
    lanes = (Lane("fast", "fp32"), Lane("slow", "fp32", required=False))
    whole = dataclasses.replace(
        manifest(),
        lanes=lanes,
        signatures=dict.fromkeys(("tensors", "bytes"), SIGNATURE),
        bounds={"fp32": dict.fromkeys(("tensors", "bytes"), manifest().bounds["fp32"]["tensors"])},
    )
    return bundles.seal(folder, whole, {})


class Doubles:
    """Answers rightly in one lane; `fails` is raised when it is opened."""

    where, notes = "in this test", ("nothing is as elsewhere",)

    def __init__(self, fails: Exception | None = None, wrong: str = "") -> None:
        self.opened: list[str] = []
        self._fails, self._wrong = fails, wrong

    @contextmanager
    def open(self, bundle: Bundle, lane: str) -> Iterator[Doubles]:
        self.opened.append(lane)
        if self._fails:
            raise self._fails
        yield self

    def run(self, call: Call) -> Answer:
        factor = 3 if self._wrong and call.name.startswith(self._wrong) else 2
        outputs: Tensors = {"y": np.asarray(call.inputs["x"] * np.float32(factor))}
        return Answer(outputs, seconds=0.5)


def test_each_lane_and_golden_has_a_row(bundle: Bundle) -> None:
    rows = verify(bundle, Doubles())
    assert {(row.lane, row.golden) for row in rows} == {
        (lane, golden) for lane in ("fast", "slow") for golden in ("tensors", "bytes")
    }
    assert all((row.verdict, row.where) == (Verdict.PASS, "in this test") for row in rows)
    assert all(len(row.parity) == 2 and row.seconds == 0.5 for row in rows)


def test_only_the_lanes_asked_for_are_opened(bundle: Bundle) -> None:
    runner = Doubles()
    rows = verify(bundle, runner, ["slow"])
    assert runner.opened == ["slow"]
    assert {row.lane for row in rows} == {"slow"}


def test_a_fault_in_one_golden_is_not_seen_in_the_other(bundle: Bundle) -> None:
    rows = verify(bundle, Doubles(wrong="bytes"), ["fast"])
    assert {row.golden: row.verdict for row in rows} == {
        "tensors": Verdict.PASS,
        "bytes": Verdict.FAIL,
    }


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (NotRun("no such device", hint="buy one"), Verdict.NOT_RUN),
        (ToolMissing("no such tool", hint="install it"), Verdict.NOT_RUN),
        (OSError(errno.ENOSPC, "disk full"), Verdict.NOT_RUN),
        (MemoryError(), Verdict.NOT_RUN),
        (RuntimeError("bad artifact"), Verdict.FAIL),
        (FileNotFoundError("a part of the artifact"), Verdict.FAIL),
    ],
)
def test_a_runtime_that_refuses_its_artifact_fails_and_a_machine_that_cannot_says_nothing(
    bundle: Bundle, error: Exception, verdict: Verdict
) -> None:
    rows = verify(bundle, Doubles(fails=error))
    assert {row.verdict for row in rows} == {verdict}
    assert all(str(error) in row.reason for row in rows)


def test_a_new_not_run_never_erases_an_earlier_verdict(bundle: Bundle) -> None:
    said = merged(bundle, verify(bundle, Doubles()))
    bundles.write_report(bundle, said)
    silent = verify(bundle, Doubles(fails=NotRun("not here", hint="")))
    assert merged(bundle, silent) == said
    wrong = merged(bundle, verify(bundle, Doubles(wrong="tensors"), ["fast"]))
    assert {(r.lane, r.golden): r.verdict for r in wrong.rows} == {
        ("fast", "tensors"): Verdict.FAIL,
        ("fast", "bytes"): Verdict.PASS,
        ("slow", "tensors"): Verdict.PASS,
        ("slow", "bytes"): Verdict.PASS,
    }


def test_answers_can_be_had_for_some_calls(bundle: Bundle) -> None:
    some = list(answers(bundle, Doubles(), "fast", ["bytes-2/0"]))
    assert [check.call.name for check, _ in some] == ["bytes-2/0"]
    assert len(list(answers(bundle, Doubles(), "fast"))) == 4


def test_right_answers_of_an_artifact_that_would_not_stand_by_them_are_no_pass(
    bundle: Bundle,
) -> None:
    class Shy(Doubles):
        def run(self, call: Call) -> Answer:
            return dataclasses.replace(super().run(call), refused="the page does not load it")

    for row in verify(bundle, Shy()):
        assert (row.verdict, row.reason) == (Verdict.FAIL, "the page does not load it")
        assert row.parity, "its numbers are there all the same"


@pytest.mark.parametrize(("skipped", "said"), [(1, Verdict.PASS), (2, Verdict.NOT_RUN)])
def test_what_was_not_asked_is_counted_and_is_no_pass(
    bundle: Bundle, skipped: int, said: Verdict
) -> None:
    class Short(Doubles):
        def run(self, call: Call) -> Answer:
            left = call.name.startswith(("tensors-1", "tensors-2")[:skipped])
            return Answer({}, skipped="the time was up") if left else super().run(call)

    rows = {row.golden: row for row in verify(bundle, Short(), ["fast"])}
    assert rows["tensors"].verdict is said
    assert len(rows["tensors"].parity) == 2 - skipped
    assert f"not run: {skipped} of 2 cases, the time was up" in rows["tensors"].notes
    assert rows["bytes"].verdict is Verdict.PASS
    assert not any(note.startswith("not run") for note in rows["bytes"].notes)
