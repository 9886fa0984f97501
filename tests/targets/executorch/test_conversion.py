"""What is ordered of the converter, and what is said of the file: before and after any tool."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deploy_targets import registry
from deploy_targets.converters import pte
from deploy_targets.converters.pte import Converted, Order
from deploy_targets.errors import ConfigError, ConversionFailed, ToolMissing
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Dialect, DynamicAxis, Graph, Prepared, Signature, TensorSpec
from deploy_targets.targets.executorch import conversion, places, project
from deploy_targets.targets.executorch.target import Executorch
from deploy_targets.workspace import Workspace

BATCH, TIME = DynamicAxis("batch", 2, 8), DynamicAxis("time", 4, 64)
SOUND = Signature(
    (TensorSpec("sound", "float32", ("batch", "time", 3)),),
    (TensorSpec("y", "float32", ("batch", 2)),),
    (BATCH, TIME),
    "batch",
)
REPORT: Mapping[str, Any] = {
    "backend": "xnnpack",
    "tried": [{"step": "plain", "why not": "an exception"}],
    "step": "rewritten",
    "done": [],
    "kept_out": [],
    "delegated": {"convolution.default": 2, "_softmax.default": 1},
    "undelegated": {"dim_order_ops._clone_dim_order.default": 1, "view_copy.default": 3},
    "multiply_adds": {"total": 1000, "delegated": 994, "share": 0.994, "undelegated": {}},
    "delegates": 2,
    "planned_bytes": 1_500_000,
    "asked": {"sizes": ["batch=2"], "worst": 1.25e-7},
}


def prepared(signature: Signature, folder: Path = Path("nowhere")) -> Prepared:
    graph = Graph(Dialect.EXPORTED, folder, "", "torch.export")
    return Prepared("m", signature, graph, RECIPES["fp32"])


def target(**options: object) -> Executorch:
    made = registry.load("executorch", options)
    assert isinstance(made, Executorch)
    return made


def said(report: Mapping[str, Any], signature: Signature = SOUND, **fixed: int) -> list[str]:
    order = Order(prepared(signature).graph, signature, report["backend"], fixed)
    made = Converted((pte.entry(signature),), {}, ("of the converter",), report)
    return list(conversion.notes(signature, order, made))


def test_what_a_pte_cannot_hold_is_named_with_what_to_do() -> None:
    odd = replace(SOUND, outputs=(TensorSpec("y", "uint32", ("batch", 2)),))
    (problem,) = conversion.problems(target(), prepared(odd))
    assert problem.startswith("y is uint32, which ")
    assert "cast it" in problem


def test_dynamic_axes_need_no_option() -> None:
    assert conversion.problems(target(), prepared(SOUND)) == ()


@pytest.mark.parametrize(
    ("sizes", "why"),
    [({"tim": 9}, "no dynamic axis 'tim'"), ({"time": 3}, r"time = 3 is not within 4\.\.64")],
)
def test_sizes_of_no_axis_or_out_of_its_range_are_refused(sizes: dict[str, int], why: str) -> None:
    with pytest.raises(ConfigError, match=f"sizes: .*{why}"):
        conversion.problems(target(sizes=sizes), prepared(SOUND))


def test_a_fixed_batch_needs_answers_that_can_be_joined() -> None:
    mean = replace(SOUND, outputs=(*SOUND.outputs, TensorSpec("mean", "float32", (2,))))
    assert conversion.problems(target(sizes={"time": 9}), prepared(mean)) == ()
    (problem,) = conversion.problems(target(sizes={"batch": 2}), prepared(mean))
    assert problem.startswith("mean has no axis batch")
    assert problem.endswith("leave batch out of the option sizes")


def test_auto_is_xnnpack_and_then_the_kernels_alone() -> None:
    ways = target().converters(Dialect.EXPORTED)
    assert [way.backend for way in ways] == ["xnnpack", "portable"]
    (only,) = target(backend="portable").converters(Dialect.EXPORTED)
    assert conversion.ordered(only, prepared(SOUND)).backend == "portable"


def test_a_size_that_is_said_is_ordered_and_asked() -> None:
    small = target(sizes={"time": 9})
    assert conversion.ordered(small, prepared(SOUND)).fixed == {"time": 9}
    assert small.fixed == {"time": 9}


def test_a_conversion_is_kept_under_the_graph_and_the_order(tmp_path: Path) -> None:
    (tmp_path / "model.pt2").write_bytes(b"one")
    first = Order(prepared(SOUND, tmp_path).graph, SOUND)
    orders = [first, replace(first, backend="portable"), replace(first, fixed={"time": 9})]
    keys = [conversion.key(order) for order in orders]
    (tmp_path / "model.pt2").write_bytes(b"two")
    keys.append(conversion.key(first))
    assert len(set(keys)) == 4
    # Wherever the graph lies.
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "model.pt2").write_bytes(b"two")
    moved = replace(first, graph=replace(first.graph, folder=tmp_path / "moved"))
    assert conversion.key(moved) == keys[-1]


def test_a_conversion_has_the_time_that_the_user_gives_it(tmp_path: Path) -> None:
    (tmp_path / "model.pt2").write_bytes(b"nothing")
    short = replace(prepared(SOUND, tmp_path), timeout=0.2)
    with pytest.raises(ConversionFailed, match=r"took longer than 0\.\d+ s"):
        conversion.converted(target(), short, Workspace())


def test_the_notes_say_who_computes_what() -> None:
    assert said(REPORT) == [
        "of the converter",
        "delegated to XNNPACK: convolution 2, softmax 1",
        "left to ExecuTorch's own kernels: view_copy 3, clone_dim_order 1",
        "1.5 MB of memory are planned besides the weights",
    ]


def test_the_notes_say_where_xnnpack_takes_nothing_though_it_was_asked() -> None:
    none = {**REPORT, "delegates": 0, "delegated": {}, "undelegated": {"mm.default": 2}}
    words = "XNNPACK takes no part of it, and ExecuTorch's own kernels compute all"
    assert said(none)[1:3] == [words, "computed by ExecuTorch's own kernels: mm 2"]
    assert words not in said({**none, "backend": "portable"})


def test_the_notes_say_what_is_fixed_and_what_android_lacks() -> None:
    use = TensorSpec("use", "bool", ("batch",))
    notes = said(REPORT, replace(SOUND, inputs=(*SOUND.inputs, use)), time=9)
    assert notes[-2:] == [
        "fixed by the option sizes: time = 9",
        "use is bool, which ExecuTorch's API for Android does not have",
    ]


@pytest.mark.parametrize(("delegates", "kind"), [(2, "xnnpack"), (0, "portable")])
def test_the_lanes_are_called_as_what_computes_the_file(
    tmp_path: Path, delegates: int, kind: str
) -> None:
    (tmp_path / "model.pte").write_bytes(b"a model")
    (tmp_path / "bundle").mkdir()
    made = Converted((pte.entry(SOUND),), {}, (), {**REPORT, "delegates": delegates})
    built = project.built(
        prepared(SOUND), tmp_path / "model.pte", made, tmp_path / "bundle", Workspace()
    )
    required = {lane.name: lane.required for lane in built.lanes}
    assert required == {f"{kind}-1t": True, f"{kind}-2t": True, "android": False, "ios": False}
    assert required.keys() <= {*places.LANES, *places.DEVICES}
    text = (tmp_path / "bundle" / "README.md").read_text(encoding="utf-8")
    assert f"`{kind}-1t` and `{kind}-2t`" in text
    assert ("XNNPACK has no part of the model" in text) is (delegates == 0)


def test_the_report_travels_without_what_only_this_machine_measured(tmp_path: Path) -> None:
    (tmp_path / "model.pte").write_bytes(b"a model")
    (tmp_path / "bundle").mkdir()
    made = Converted((pte.entry(SOUND),), {}, (), REPORT)
    built = project.built(
        prepared(SOUND), tmp_path / "model.pte", made, tmp_path / "bundle", Workspace()
    )
    assert built.roles["report.json"] == "doc"
    held = json.loads((tmp_path / "bundle" / "report.json").read_text(encoding="utf-8"))
    assert held == {name: each for name, each in REPORT.items() if name != "asked"}


def test_without_pytorch_the_lane_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(places.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolMissing, match="not installed") as missing:
        places.here(Workspace(), tmp_path)
    assert "deploy-targets[executorch]" in missing.value.hint
