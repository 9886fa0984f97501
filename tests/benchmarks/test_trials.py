"""From an honest build to a table: a corpus of one small model, faults planted, figures counted."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.parity import report, scoring, table
from benchmarks.parity.corpus.record import keep, record, run_here
from benchmarks.parity.corpus.store import Entry
from benchmarks.parity.ours import NAME
from benchmarks.parity.trials import Bench, Trial
from deploy_targets.testing.faults import FAULTS

MODEL = "zoo-convnet"


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with one model in it."""
    cache = tmp_path_factory.mktemp("bench")
    run_here(record(cache, MODEL))
    return cache


@pytest.fixture
def home(cache: Path) -> Entry:
    return Entry(cache / "corpus" / MODEL)


def test_what_is_stored_is_what_is_read(home: Entry) -> None:
    said = home.read("as-given.ort-plain-1t")
    golden = home.read_golden()
    assert set(said) == {case.name for case in golden.cases}
    for case in golden.cases:
        for name, want in case.outputs.items():
            assert case.noise[name].shape == want.shape
            np.testing.assert_allclose(said[case.name][name], want, rtol=1e-4, atol=1e-4)


def test_every_lane_of_onnx_runtime_answers(home: Entry) -> None:
    assert len(home.builds()) == 6
    assert home.refused() == {}


def test_a_plainly_wrong_build_is_no_honest_one(home: Entry, tmp_path: Path) -> None:
    other = Entry(tmp_path / "other")
    other.folder.mkdir()
    cases = home.read_cases()
    wrong = {c.name: {name: 2 * array for name, array in c.outputs.items()} for c in cases}
    keep(other, "broken.runtime", cases, wrong)
    assert other.builds() == []
    assert other.refused()["broken.runtime"].startswith("WRONG")


def test_a_fault_is_measured_in_units_of_the_models_own_noise(home: Entry) -> None:
    found = [
        trial
        for trial in Bench(home).trials(["output_scaled", "nan_in_one_element"], draws=1)
        if isinstance(trial, Trial)
    ]
    scaled = [trial.ratio for trial in found if trial.fault.name == "output_scaled"]
    assert scaled == sorted(scaled, reverse=True)
    named = len(FAULTS["output_scaled"].strengths)
    assert all(ratio > 1 for ratio in scaled[:named])
    # Weaker ones follow until nothing is left: a float32 times 1 + 1e-8 is itself.
    assert len(scaled) > named
    assert scaled[-1] < 10
    assert all(trial.ratio == math.inf for trial in found if trial.fault.name != "output_scaled")


def test_honest_builds_pass_and_gross_faults_do_not(cache: Path) -> None:
    assert all(row[NAME] for row in scoring.score_honest(cache, MODEL))
    rows = scoring.score_faults(cache, MODEL, ["output_scaled", "one_weight_changed"], draws=1)
    gross = [row for row in table.counted(rows) if row["ratio"] > 1e4]
    assert gross
    assert not any(row[NAME] for row in gross)


def test_rows_survive_the_disk(cache: Path, tmp_path: Path) -> None:
    rows = scoring.score_faults(cache, MODEL, ["nan_in_one_element"], draws=1)
    scoring.write(tmp_path / "rows.json", rows)
    assert scoring.read(tmp_path / "rows.json") == rows


def test_a_moved_threshold_raises_no_false_alarm_and_the_report_counts_all(cache: Path) -> None:
    honest = scoring.score_honest(cache, MODEL)
    rows = scoring.score_faults(cache, MODEL, ["output_scaled"], draws=1)
    for _, _, moved in table.everyone(honest):
        assert table.detected(moved, honest) == 0
    text = report.text(honest, rows)
    assert f"Honest builds: {len(honest)}" in text
    for name, _, _ in table.everyone(honest):
        assert f"| {name}" in text


def test_the_weakest_strength_is_the_last_before_the_first_miss() -> None:
    rows = [
        {"fault": "output_scaled", "strength": strength, "ratio": 5.0, NAME: accepted}
        for strength, accepted in ((1, False), (0.1, False), (0.01, True), (0.001, False))
    ]
    own = table.Verdicts(NAME, None, lambda row: bool(row[NAME]))
    assert table.weakest(own, rows) == 0.1
    assert [row["strength"] for row in table.misses(own, rows)] == [0.01]
