"""What the benchmarks of the tflite target measure and print, checked by hand."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.mobile import ask, measured

HOME = Path(__file__).parents[2] / "benchmarks"
FILLS = "b = bytearray(b'x') * {} * 1_000_000"


@pytest.fixture
def race(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module as the script finds it, which stands beside its folders."""
    monkeypatch.syspath_prepend(HOME)
    return importlib.import_module("mobile.race")


def python(code: str) -> measured.Run:
    return measured.run([sys.executable, "-I", "-c", code])


def test_memory_is_that_of_the_command_and_not_of_whoever_asks() -> None:
    held = bytearray(b"x") * 150_000_000
    assert python("pass").megabytes < 60 < len(held) / 2**20
    assert 90 < python(FILLS.format(100)).megabytes < 150


def test_memory_is_also_that_of_a_process_that_the_command_starts() -> None:
    inner = FILLS.format(100)
    run = python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])")
    assert 90 < run.megabytes < 150


def test_a_command_that_fails_leaves_its_last_words_and_one_that_does_not_leaves_none() -> None:
    assert python("raise SystemExit('no such operator')").failed == "no such operator"
    assert python("import os; os.kill(os.getpid(), 9)").failed == "exit code -9"
    assert python("import sys; print('warning', file=sys.stderr)").failed == ""


def test_a_question_takes_the_order_and_the_layout_that_a_file_asks_for() -> None:
    image, token = np.arange(24.0).reshape(1, 2, 3, 4), np.ones(5)
    first, second = ask.fitting([(5,), (1, 3, 4, 2)], [image, token])
    assert first is token
    np.testing.assert_array_equal(second, image.transpose(0, 2, 3, 1))
    (open_axis,) = ask.fitting([(-1, -1, 2)], [image[:, :, 0]])
    assert open_axis.shape == (1, 4, 2)
    with pytest.raises(ValueError, match="it takes"):
        ask.fitting([(6,)], [token])


def test_answers_are_compared_in_the_models_own_layout() -> None:
    want = np.arange(24.0).reshape(1, 2, 3, 4)
    assert ask.far([want], [want.transpose(0, 2, 3, 1)]) == 0.0
    assert ask.far([want], [want * 1.01]) == pytest.approx(0.01)
    assert ask.far([want], [want * np.nan]) == float("inf")
    assert ask.far([want], [want[:, :1]]) == float("inf")


def test_a_converter_that_failed_stands_in_the_table_and_why_below_it(race: Any) -> None:
    run = measured.Run(12.34, 800.0)
    rows = [
        race.Result("ours", run, 1.5, 2e-7, (0.010, 0.020, 0.500)),
        race.Result("other", run, 3.0, 1e-3, (0.020, 0.040, 0.100)),
        race.Result("third", run, failed="no such operator"),
    ]
    lines = race.table(rows).splitlines()
    assert lines[2] == "| ours | 12.3 | 800 | 1.50 | 2.0e-07 | 20.000 | 1.00 |"
    assert lines[3] == "| other | 12.3 | 800 | 3.00 | 1.0e-03 | 40.000 | 2.00 |"
    assert lines[4] == "| third | 12.3 | 800 |  | failed | | |"
    assert lines[-1] == "- third: no such operator"
    assert len({line.count("|") for line in lines[:5]}) == 1
