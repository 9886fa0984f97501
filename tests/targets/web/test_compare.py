"""The judge in JavaScript decides as the one in Python does."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from deploy_targets.integrations import node
from deploy_targets.testing.vectors import comparisons
from deploy_targets.testing.vectors.comparisons import Pair

WEB = Path(__file__).parents[3] / "web"


@pytest.fixture(scope="module")
def asked() -> dict[str, Pair]:
    return comparisons.pairs()


@pytest.fixture(scope="module")
def said(asked: dict[str, Pair], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Pair -> why JavaScript refuses it, and the relative L2."""
    folder = tmp_path_factory.mktemp("pairs")
    comparisons.save(asked, folder / "pairs")
    program = str(WEB / "tests" / "vectors" / "compare.mjs")
    command = [node.find(), program, str(folder / "pairs"), str(folder / "answers")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, list[str]] = json.loads((folder / "answers").read_text())
    return found


def test_javascript_judges_every_pair_as_python_does(
    asked: dict[str, Pair], said: dict[str, list[str]]
) -> None:
    here = {name: comparisons.verdict(pair) for name, pair in asked.items()}
    refused = sum(bool(reason) for reason, _ in here.values())
    assert len(asked) // 5 < refused < len(asked) * 4 // 5
    apart = {n: (here[n][0], said[n][0]) for n in asked if bool(here[n][0]) != bool(said[n][0])}
    assert apart == {}
    for name, (_, distance) in here.items():
        assert np.isclose(float(said[name][1]), distance, rtol=1e-9, equal_nan=True), name


def test_where_every_element_may_jump_the_first_of_them_is_held_to_the_bound(
    said: dict[str, list[str]],
) -> None:
    reasons = {name: reason for name, (reason, _) in said.items() if "every element may" in name}
    passed = {name.rpartition(", and ")[2] for name, reason in reasons.items() if not reason}
    assert passed == {"the second does", "the first does beside one that strays"}
