"""What is said of trained models in the browser: their descriptions, their pins, their table."""

from __future__ import annotations

import re

import pytest

from benchmarks.web import proofs, real
from benchmarks.web.proofs import Proof
from deploy_targets import config

PASSED = Proof("net", "litert", "pass", "litert", "f32[4] → f32[2]", 3, "1 2", 1e-6, 0.5)
REFUSED = Proof("net", "onnxruntime-web", "refused", said=("UnsupportedModel: no such operator",))


@pytest.mark.parametrize("name", sorted(real.LICENCES))
def test_a_model_has_a_description_that_can_be_read_and_axes_that_move(name: str) -> None:
    told = config.read(real.DESCRIBED / f"{name}.toml")
    assert told.name == name
    assert all(least < most for least, most in told.axes.values())
    assert "batch" in told.axes


def test_every_package_is_pinned_by_version_and_by_hash() -> None:
    wanted = set(re.findall(r"^[a-z].*==.*$", real.LOCK.with_suffix(".in").read_text(), re.M))
    locked = re.findall(r"^([a-z]\S+==\S+) \\\n    --hash=sha256:", real.LOCK.read_text(), re.M)
    assert wanted
    assert set(locked) == wanted


def test_sizes_are_told_for_each_place_of_the_shapes() -> None:
    assert proofs.sizes([(1, 2, 36), (8, 2, 9), (1, 2, 9)]) == "1 8 x 2 x 9 36"
    with pytest.raises(ValueError, match="shorter"):
        proofs.sizes([(1, 2), (1,)])


def test_a_refusal_stands_in_the_table_and_its_reason_below_it() -> None:
    lines = proofs.table([PASSED, REFUSED]).splitlines()
    assert lines[2].startswith(
        "| net | f32[4] → f32[2] | litert | pass | 3 | 1 2 | 1.0e-06 | 0.50 |"
    )
    assert lines[3].startswith("| net | | onnxruntime-web | refused |")
    assert len({line.count("|") for line in lines[:4]}) == 1
    assert lines[-1] == "- net, onnxruntime-web: UnsupportedModel: no such operator"


def test_only_the_runtime_that_must_pass_is_missed() -> None:
    said = proofs.missing([PASSED, REFUSED], "onnxruntime-web")
    assert said == ["net is refused on onnxruntime-web: UnsupportedModel: no such operator"]
    assert proofs.missing([PASSED, REFUSED], "litert") == []
