"""The web target keeps every target's promises, in a real browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from deploy_targets import registry
from deploy_targets.errors import UnsupportedModel
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import (
    Dialect,
    Graph,
    Prepared,
    Signature,
    Stage,
    Staging,
    TensorSpec,
)
from deploy_targets.targets.base import Target
from deploy_targets.targets.web import own_steps, runtimes, target
from deploy_targets.targets.web.target import Web
from deploy_targets.testing.conformance import TargetConformance


class TestWeb(TargetConformance):
    @pytest.fixture(scope="class")
    @classmethod
    def target(cls) -> Target:
        return registry.load("web")


IMAGE = TensorSpec("image", "float32", (1, 3, 4, 4))


def planned(tmp_path: Path, code: str, counterpart: str | None = "steps.mjs:deskew") -> target.Plan:
    """A plan with one step of the user's own, in a file of this code."""
    (tmp_path / "steps.mjs").write_text(code)
    options = {
        "name": "deskew",
        "python": "steps.py:deskew",
        "counterpart": counterpart,
        "dtype": "float32",
        "shape": [1, 3, 4, 4],
        "keeps": True,
    }
    staging = Staging(
        stages=(Stage("image", "own", options),),
        signature=Signature((IMAGE,), (IMAGE,)),
        ports={"image": (IMAGE,)},
        media={"image": ("image/*",)},
        suffixes={"image": (".png",)},
        single=True,
        files={str(counterpart): tmp_path / "steps.mjs"},
    )
    return target.planned(staging)


def test_an_own_step_is_found_by_the_name_of_its_file(tmp_path: Path) -> None:
    plan = planned(
        tmp_path, 'import { Refused } from "../refused.mjs";\nexport function deskew() {}'
    )
    assert own_steps.files(plan) == {"steps/own_steps/steps.mjs": tmp_path / "steps.mjs"}


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ('import pad from "left-pad";\nexport function deskew() {}', "imports left-pad, which"),
        ('import { x } from "./other.mjs";\nexport function deskew() {}', r"imports \./other\.mjs"),
        ("export function other() {}", "does not export deskew; it exports other"),
        ("export function deskew( {", "is no module that a browser can load: SyntaxError"),
        ('import { Nope } from "../refused.mjs";\nexport function deskew() {}', "named 'Nope'"),
    ],
)
def test_an_own_step_that_could_not_run_is_refused(tmp_path: Path, code: str, why: str) -> None:
    with pytest.raises(UnsupportedModel, match=why):
        own_steps.files(planned(tmp_path, code))


def test_an_own_step_in_python_is_no_counterpart(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="is no JavaScript"):
        own_steps.files(planned(tmp_path, "", "steps.py:deskew"))


def test_an_own_step_without_a_counterpart_is_never_left_out(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="has no counterpart"):
        planned(tmp_path, "", None)


def test_every_runtime_of_the_option_has_the_one_shape() -> None:
    for name in runtimes.MODULES:
        runtime = runtimes.find(name)
        assert runtime.CODE
        assert runtime.DIALECTS
        assert set(runtime.LADDER) <= {"webgpu", "wasm", "wasm-1t"}
        assert callable(runtime.problems)
        assert callable(runtime.write)
        assert set(runtime.DIALECTS) <= set(Web.accepts)


def test_auto_stands_for_every_runtime() -> None:
    assert [choice.runtime for choice in Web(runtime="auto").choices()] == list(runtimes.MODULES)
    choices = Web(runtime="auto", webgpu=True, sizes={"T": 4}, precompress=False).choices()
    assert not any(choice.precompress for choice in choices)
    # Each is an option table that may be written down, and so holds nothing of another's.
    assert [Web.model_validate(choice.model_dump()) for choice in choices] == list(choices)
    assert {choice.runtime: (choice.webgpu, choice.sizes) for choice in choices} == {
        "onnxruntime-web": (True, {}),
        "litert": (False, {"T": 4}),
        "tfjs": (False, {}),
    }


def test_sizes_are_looked_at_before_anything_else_is_built() -> None:
    assert Web(runtime="auto", sizes={"T": 4}).choices()[0].runtime == "litert"


def of(dtype: str) -> Prepared:
    spec = TensorSpec("x", dtype, (1, 4))
    graph = Graph(Dialect.EXPORTED, Path("nowhere"), "0" * 64, "torch.export")
    return Prepared("model", Signature((spec,), (IMAGE,)), graph, RECIPES["fp32"])


def test_auto_refuses_what_every_runtime_does_and_says_why_each_does() -> None:
    problems = Web(runtime="auto").check(of("bfloat16"))
    assert [problem.partition(":")[0] for problem in problems] == list(runtimes.MODULES)
    assert all("x is bfloat16" in problem for problem in problems)


def test_auto_takes_what_another_runtime_than_the_first_does(tmp_path: Path) -> None:
    with (tmp_path / "model.onnx").open("wb") as weights:
        weights.truncate(2**31)
    small = of("float32")
    large = replace(small, graph=replace(small.graph, folder=tmp_path))
    assert Web().check(large)
    assert Web(runtime="auto").check(large) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"browsers": ["safari"]},
        {"max_download_mb": 0},
        {"runtime": "onnx"},
        {"runtime": "litert", "webgpu": True},
        {"sizes": {"T": 4}},
    ],
)
def test_an_option_that_cannot_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Web.model_validate(wrong)


def test_the_lanes_are_what_the_options_ask_for() -> None:
    every = Web(webgpu=True, browsers=("chromium", "firefox"))._lanes("fp32")
    assert {lane.name: lane.required for lane in every} == {
        "wasm-1t": True,
        "wasm-2t": True,
        "webgpu": False,
        "firefox-1t": False,
    }


def test_a_runtime_without_threads_has_one_lane() -> None:
    assert [lane.name for lane in Web(runtime="tfjs")._lanes("fp32")] == ["wasm-1t"]


def test_doctor_knows_what_is_needed() -> None:
    tools = {need.tool: need for need in Web.needs()}
    assert {"node", "npm", "playwright", "aiohttp", "brotli", "Chromium", "Firefox"} <= set(tools)
    assert all(need.found or need.hint for need in tools.values())
