"""A sample of the ONNX backend suite, through the real Lambda target: what ends how, and why.

It covers every kind of case and every class of refusal. benchmarks/onnx_suite.py runs them all.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchmarks.backend_suite import page, tally
from benchmarks.backend_suite.cases import SuiteCase, collect
from benchmarks.backend_suite.trial import NOT_RUN, REFUSED, VERIFIED, WRONG, attempt
from deploy_targets import registry
from deploy_targets.workspace import Workspace

VERIFIED_CASES = (
    "node/test_argmax_default_axis_example",
    "node/test_add_uint8",
    "node/test_basic_conv_with_padding",
    "node/test_clip_example",  # scalars
    "node/test_constant",  # no inputs
    "node/test_isnan_float16",
    "node/test_gelu_tanh_1_expanded",
    "node/test_if",
    "node/test_nonzero_example",  # sizes that depend on values
    "node/test_reduce_sum_empty_set",  # an axis of size 0
    "node/test_reshape_negative_dim",  # made-up inputs are refused
    "node/test_cast_DOUBLE_to_FLOAT16",  # an IR version that ONNX Runtime lacks
    "node/test_swiglu",  # an operator that ONNX Runtime lacks
    "pytorch-converted/test_Conv2d",
    "pytorch-operator/test_operator_addmm",  # opset 6
    "simple/test_single_relu_model",
    "light/light_squeezenet",
)

REFUSED_CASES = {
    "node/test_string_concat": "strings go in or out",
    "node/test_sequence_insert_at_back": "a sequence or an optional goes in or out",
    "node/test_optional_has_element_empty_optional_input": (
        "a sequence or an optional goes in or out"
    ),
    "node/test_quantizelinear_e4m3fn": "a dtype goes in or out that no target carries",
    "node/test_quantizelinear_int4": "a dtype goes in or out that no target carries",
    "node/test_cast_FLOAT_to_BFLOAT16": "ONNX Runtime cannot load it",
    "node/test_adagrad": "ONNX Runtime cannot load it",
    "node/test_gru_batchwise": "ONNX Runtime cannot load it",
    "node/test_bernoulli": "restating it is not confirmed",
    "node/test_training_dropout": "ONNX Runtime contradicts the suite",
    "node/test_maxunpool_export_with_output_shape": "ONNX Runtime contradicts the suite",
}


@pytest.fixture(scope="module")
def suite() -> dict[str, SuiteCase]:
    return {case.id: case for case in collect()}


@pytest.mark.parametrize("name", VERIFIED_CASES)
def test_a_case_is_verified(suite: dict[str, SuiteCase], name: str) -> None:
    result = attempt(suite[name], registry.load("lambda"), Workspace())
    assert (result.outcome, result.said) == (VERIFIED, "")


@pytest.mark.parametrize(("name", "why"), REFUSED_CASES.items())
def test_a_case_is_refused_for_a_reason(suite: dict[str, SuiteCase], name: str, why: str) -> None:
    result = attempt(suite[name], registry.load("lambda"), Workspace())
    assert result.outcome == REFUSED, result.said
    assert tally.reason(result.said) == why


def test_an_artifact_that_answers_otherwise_than_the_suite_is_found(
    suite: dict[str, SuiteCase], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The suite's answer is falsified, and the check that the product itself makes is taken away:
    what is left is the comparison of the artifact's own answers."""
    case = suite["simple/test_single_relu_model"]
    ((given, (want,)),) = case.data
    wrong = dataclasses.replace(case, data=((given, (want + np.float32(0.01),)),))
    refused = attempt(wrong, registry.load("lambda"), Workspace())
    assert tally.reason(refused.said) == "ONNX Runtime contradicts the suite"
    monkeypatch.setattr("deploy_targets.parity.expected.check", lambda *given: None)
    result = attempt(wrong, registry.load("lambda"), Workspace())
    assert result.outcome == WRONG
    assert "Mismatched elements" in result.said


def test_no_two_cases_share_a_name_and_all_kinds_are_there(suite: dict[str, SuiteCase]) -> None:
    kinds = {name.partition("/")[0] for name in suite}
    assert kinds == {"node", "simple", "pytorch-converted", "pytorch-operator", "light"}
    assert len(suite) > 1500
    assert sum(case.is_float for case in suite.values()) > 1000
    assert suite["node/test_elu_expanded_ver18"].operator == "Elu"


def test_a_target_below_its_floor_or_with_a_wrong_case_has_a_problem() -> None:
    good = tally.Result("node/a", "lambda", VERIFIED, "", "", "Abs", True, 1.0)
    bad = dataclasses.replace(good, id="node/b", outcome=REFUSED, said="no")
    assert tally.of([good]).problems("lambda", whole=True) == []
    [floor] = tally.of([good, bad]).problems("lambda", whole=True)
    assert floor == "lambda: 50.00 % of the float cases, below 95.0 %"
    assert tally.of([good, bad]).problems("lambda", whole=False) == []
    for outcome in (WRONG, NOT_RUN, "defect"):
        [problem] = tally.of([dataclasses.replace(good, outcome=outcome, said="x\ny")]).problems(
            "lambda", whole=False
        )
        assert problem == f"lambda node/a: {outcome}: y"
    [none] = tally.of([good]).problems("unheard-of", whole=True)
    assert "has no floor" in none


def test_a_case_without_a_result_is_no_pass_and_the_page_says_so() -> None:
    good = tally.Result("node/a", "lambda", VERIFIED, "", "", "Abs", True, 1.0)
    counted = tally.of([good], missing=3)
    assert counted.problems("lambda", whole=True) == ["lambda: 3 cases have no result yet"]
    written = page.page({"lambda": counted}, stale=1)
    assert "**3 of 4 cases have no result yet" in written
    assert "1 of the results are those of an earlier state" in written
    assert "| Abs | 1 | 1 | 0 | 0 | 0 | 0 |" in written
