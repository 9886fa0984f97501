"""ExecuTorch on models that set traps; what was written is asked in ExecuTorch's own runtime."""

from __future__ import annotations

import dataclasses
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy_targets.converters import pte, pte_from_torch, pte_proof
from deploy_targets.errors import ConversionFailed, DeployError
from deploy_targets.integrations import beside, worker
from deploy_targets.records import Dialect, DynamicAxis, Graph, Signature, TensorSpec
from deploy_targets.workspace import Workspace

BATCH, TIME = DynamicAxis("batch", 1, 5), DynamicAxis("time", 2, 9)


def _signature(inputs: list[TensorSpec], outputs: int, *axes: DynamicAxis) -> Signature:
    """Shapes of outputs are the model's affair: nothing here looks at them."""
    answers = tuple(TensorSpec(f"y{i}", "float32", ("batch",)) for i in range(outputs))
    return Signature(tuple(inputs), answers, axes or (BATCH,), "batch")


def _x(*shape: int | str, dtype: str = "float32") -> TensorSpec:
    return TensorSpec("x", dtype, ("batch", *shape))


SIGNATURES = {
    "photo": _signature([_x(3, 12, 12)], 2),
    "recurrent": _signature([_x(12, 3)], 2),
    "gated": _signature([_x(12, 3)], 1),
    "sequence": _signature([_x(4, "time")], 1, BATCH, TIME),
    "types": _signature([_x(4, dtype=t) for t in ("float64", "bool", "int64", "uint8")], 4),
    "decomposed": _signature([_x(4, 4)], 1),
    "vast": _signature([_x("time", 4)], 1, BATCH, DynamicAxis("time", 2, 20_000)),
}
SIGNATURES["types"] = dataclasses.replace(
    SIGNATURES["types"],
    inputs=tuple(
        dataclasses.replace(spec, name=f"x{i}") for i, spec in enumerate(SIGNATURES["types"].inputs)
    ),
)


def modules() -> dict[str, Any]:
    """The models, by name. In a function, for it needs PyTorch."""
    import torch
    from torch import nn

    class Photo(nn.Module):
        """PReLU of rows, which XNNPACK's lowering raises at, and sums that are easily counted."""

        def __init__(self) -> None:
            super().__init__()
            self.conv, self.head, self.act = nn.Conv2d(3, 4, 3), nn.Linear(400, 6), nn.PReLU(6)

        def forward(self, x: Any) -> Any:
            y = self.conv(x)
            return self.act(self.head(y.flatten(1))), y.amax((2, 3))

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(3, 5, 2, batch_first=True, bidirectional=True)

        def forward(self, x: Any) -> Any:
            every, (_, cell) = self.lstm(x)
            return every, cell

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gru, self.rnn = nn.GRU(3, 5, batch_first=True), nn.RNN(5, 4, batch_first=True)

        def forward(self, x: Any) -> Any:
            return (self.rnn(self.gru(x)[0])[0],)

    class Sequence(nn.Module):
        """Two dynamic axes, which XNNPACK cannot reshape."""

        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv1d(4, 6, 3, padding=1), nn.BatchNorm1d(6)

        def forward(self, x: Any) -> Any:
            return (self.norm(torch.relu(self.conv(x))).transpose(1, 2).max(2)[0],)

    class Types(nn.Module):
        def forward(self, a: Any, b: Any, c: Any, d: Any) -> Any:
            return a * 2, b.logical_not(), c + c, d // 2

    class Decomposed(nn.Module):
        def forward(self, x: Any) -> Any:
            return (torch.linalg.svd(x)[1],)

    class Vast(nn.Module):
        def forward(self, x: Any) -> Any:
            return (torch.softmax(x @ x.transpose(1, 2), 2).sum(2),)

    torch.manual_seed(0)
    kinds = (Photo, Recurrent, Gated, Sequence, Types, Decomposed, Vast)
    return {name: kind().eval() for name, kind in zip(SIGNATURES, kinds, strict=True)}


def capture(name: str, folder: Path) -> Graph:
    """The program of a model, as a frontend leaves it."""
    import torch

    from deploy_targets.converters import pte_rewrites

    folder.mkdir(parents=True)
    signature = SIGNATURES[name]
    shapes = pte_rewrites._shapes(signature)[0]
    given = pte_rewrites.examples(signature)
    with warnings.catch_warnings(), torch.no_grad():
        # PyTorch says of its own LSTM that its weights are assigned while it is exported.
        warnings.filterwarnings(
            "ignore", message="The tensor attributes self", category=UserWarning
        )
        program = torch.export.export(modules()[name], given, dynamic_shapes=shapes)
    torch.export.save(program, folder / "model.pt2")
    return Graph(Dialect.EXPORTED, folder, name, "torch.export")


def lower_many(folders: Mapping[str, str]) -> dict[str, Any]:
    """The child, one for all: its imports cost more than they do. What was said, or the error."""
    said: dict[str, Any] = {}
    for name, folder in folders.items():
        graph = Graph(Dialect.EXPORTED, Path(folder), name, "torch.export")
        fixed = {"batch": 2} if name == "types" else {}
        order = pte.packed(pte.Order(graph, SIGNATURES[name], fixed=fixed))
        try:
            said[name] = pte_from_torch.lower(order, folder, 0)
        except DeployError as error:
            said[name] = f"{type(error).__name__}: {error}"
    return said


def ask_many(said: dict[str, Any]) -> dict[str, Any]:
    """Another child: ExecuTorch's runtime."""
    return {
        name: pte_proof.ask(one["file"], str(Path(one["file"]).parent), one["asked"])
        for name, one in said.items()
        if not isinstance(one, str)
    }


def in_child(function: str, arguments: Mapping[str, object]) -> Any:
    import sys

    path = [*sys.path, str(beside.folder(pte_from_torch.LOCK, Workspace()))]
    return worker.call(f"{__name__}:{function}", arguments, who="ExecuTorch", path=path)


@dataclasses.dataclass(frozen=True)
class Many:
    folder: Path
    said: Mapping[str, Any]
    answered: Mapping[str, Any]

    def report(self, name: str) -> dict[str, Any]:
        return dict(self.said[name]["report"])


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Many:
    home = tmp_path_factory.mktemp("programs")
    folders = {name: str(capture(name, home / name).folder) for name in SIGNATURES}
    said = in_child("lower_many", {"folders": folders})
    return Many(home, said, in_child("ask_many", {"said": said}))


@pytest.mark.parametrize("name", ["photo", "recurrent", "gated", "sequence", "types"])
def test_the_runtime_answers_as_the_program_does_at_every_size(many: Many, name: str) -> None:
    assert many.answered[name]["wrong"] == ""
    assert many.answered[name]["worst"] < 1e-5


def test_axes_stay_dynamic_and_are_asked_from_their_smallest_to_their_largest(many: Many) -> None:
    asked = many.said["sequence"]["asked"]
    assert {"batch=1,time=2", "batch=5,time=9"} <= set(asked)
    assert many.said["types"]["asked"] == ["as it is"]


def test_what_xnnpack_cannot_lower_is_rewritten_and_the_report_says_why(many: Many) -> None:
    report = many.report("photo")
    assert report["step"] == "rewritten"
    (plain,) = report["tried"]
    assert plain["step"] == "plain"
    assert "non-NHWC" in plain["why not"]
    assert any(done.startswith("PReLU is relu(x)") for done in report["done"])


def test_the_share_of_the_multiply_adds_is_what_one_counts(many: Many) -> None:
    sums = many.report("photo")["multiply_adds"]
    # Four filters of 3 x 3 x 3 at 10 x 10 places, and six sums of 400.
    assert sums["total"] == sums["delegated"] == 4 * 27 * 100 + 400 * 6
    assert sums["share"] == 1.0


def test_a_recurrent_layer_is_a_loop_whose_steps_are_all_counted(many: Many) -> None:
    report = many.report("recurrent")
    assert "aten.lstm.input of 12 steps is a loop, not written out" in report["done"]
    # Two directions of two layers, the second of which takes what both gave.
    assert report["undelegated"]["scan"] == 4
    assert report["multiply_adds"]["undelegated"] == {"mm.default": 4 * 12 * 5 * 20}
    assert report["multiply_adds"]["delegated"] == 2 * 12 * (3 + 10) * 20


def test_an_operator_that_xnnpack_fails_on_is_kept_out_and_the_rest_is_delegated(
    many: Many,
) -> None:
    report = many.report("sequence")
    assert report["step"] == "some operators kept out"
    assert report["kept_out"]
    assert report["multiply_adds"]["share"] == 1.0


def test_what_cannot_be_carried_is_named_with_its_line(many: Many) -> None:
    said = many.said["decomposed"]
    assert said.startswith("UnsupportedModel: ExecuTorch cannot carry it")
    assert "svd" in said
    assert "tests/converters/test_pte_from_torch.py:" in said


def test_an_axis_whose_largest_size_needs_too_much_memory_is_refused(many: Many) -> None:
    said = many.said["vast"]
    assert said.startswith("UnsupportedModel: its memory is planned for the largest sizes of")
    assert "time = [2, 20000]" in said


def test_wrong_answers_are_not_near(many: Many, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    held = load_file(many.folder / "photo" / "0.safetensors")
    held["out0"] = held["out0"] + 0.01 * held["out0"].abs().max()
    save_file(held, tmp_path / "0.safetensors")
    one = {**many.said["photo"], "file": str(tmp_path / "model.pte"), "asked": ["moved"]}
    (tmp_path / "model.pte").write_bytes(Path(many.said["photo"]["file"]).read_bytes())
    answered = in_child("ask_many", {"said": {"photo": one}})
    assert "at moved, output 0" in answered["photo"]["wrong"]


def test_bytes_are_the_same_in_another_folder_and_another_process(
    many: Many, tmp_path: Path
) -> None:
    graph = capture("recurrent", tmp_path / "somewhere" / "else")
    order = pte.Order(graph, SIGNATURES["recurrent"])
    made = pte_from_torch.convert(order, tmp_path, Workspace())
    first = (many.folder / "recurrent" / "model.pte").read_bytes()
    assert (tmp_path / "model.pte").read_bytes() == first
    (entry,) = made.entries
    assert (entry.name, entry.inputs[0].spec.shape) == ("forward", ("batch", 12, 3))
    assert json.loads((tmp_path / "report.json").read_text()) == dict(made.report)


def test_a_conversion_out_of_time_is_stopped_and_named(tmp_path: Path) -> None:
    order = pte.Order(Graph(Dialect.EXPORTED, tmp_path, "", "torch.export"), SIGNATURES["photo"])
    with pytest.raises(ConversionFailed, match=r"ExecuTorch took longer than 0.\d* s"):
        pte_from_torch.convert(order, tmp_path, Workspace(), timeout=0.2)
    assert not (tmp_path / "model.pte").exists()
