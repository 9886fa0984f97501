"""litert-torch on models that set traps; what it wrote is asked through LiteRT itself."""

from __future__ import annotations

import dataclasses
import os
import signal
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deploy_targets import binding
from deploy_targets.converters import tflite, tflite_from_torch
from deploy_targets.converters.tflite import Converted, Fixed, Order
from deploy_targets.errors import ConversionFailed, DeployError
from deploy_targets.integrations import worker
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import Case, Dialect, DynamicAxis, Graph, Signature, Tensors, TensorSpec
from deploy_targets.workspace import Workspace

BATCH = (DynamicAxis("batch", 1, 16),)
ROW = ("batch", 4)
EXCHANGED = Signature(
    # Alike in shape, so that only names and values tell them apart; most are no Python names.
    inputs=(
        TensorSpec("zeta", "float32", ROW),
        TensorSpec("a/b", "float32", ROW),
        TensorSpec("class", "int64", ("batch",), range=(0, 9)),
    ),
    outputs=(
        TensorSpec("second", "float32", ROW),
        TensorSpec("first out", "float32", ROW),
        TensorSpec("0", "int64", ("batch",)),
        TensorSpec("hit", "bool", ROW),
    ),
    axes=BATCH,
    batch="batch",
)
ONE = Signature(
    (TensorSpec("x", "float32", ROW),), (TensorSpec("y", "float32", ROW),), BATCH, "batch"
)
PHOTO = Signature(
    (TensorSpec("photo", "float32", ("batch", 3, 6, 8)),),
    (TensorSpec("y", "float32", ROW),),
    BATCH,
    "batch",
)
SIGNATURES = {
    "exchanged": EXCHANGED,
    "photo": PHOTO,
    "wide": ONE,
    "half": ONE,
    "written_out": ONE,
    "slopes": ONE,
    "svd": ONE,
    "sorts": ONE,
    "misnamed": ONE,
    "spectrum": ONE,
    "phase": ONE,
}
LAYOUTS = {"photo": {"photo": (0, 2, 3, 1)}}
ENTRIES = (Fixed("b1", {"batch": 1}), Fixed("b3", {"batch": 3}))


def modules() -> dict[str, Any]:
    """The models, by name. In a function, for it needs PyTorch."""
    import torch

    class Exchanged(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = torch.nn.Embedding(10, 4)

        def forward(self, zeta: Any, ab: Any, index: Any) -> Any:
            return zeta - 2 * ab, ab + self.embed(index), index + 1, zeta > ab

    class Wide(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.up, self.down = torch.nn.Linear(4, 9_000), torch.nn.Linear(9_000, 4)

        def forward(self, x: Any) -> Any:
            return (self.down(torch.relu(self.up(x))),)

    class WrittenOut(torch.nn.Module):
        """Numbers that stand in forward itself: its graph detaches them in place."""

        def forward(self, x: Any) -> Any:
            return (x * torch.tensor([-1.0, 2.0, 3.0, 0.5]),)

    class Slopes(torch.nn.Module):
        """A PReLU behind wide layers and at every rank; one slope is negative, one above 1."""

        def __init__(self) -> None:
            super().__init__()
            self.up, self.on = torch.nn.Linear(4, 500), torch.nn.Linear(500, 500)
            self.down = torch.nn.Linear(500, 4)
            self.each, self.other = torch.nn.PReLU(500), torch.nn.PReLU(500)
            self.one = torch.nn.PReLU(init=-0.5)
            self.planes, self.steep = torch.nn.PReLU(5), torch.nn.PReLU(init=3.0)
            torch.nn.init.normal_(self.each.weight)
            torch.nn.init.normal_(self.planes.weight)

        def forward(self, x: Any) -> Any:
            wide = self.other(self.on(self.each(self.up(x))))
            planes = self.planes(wide.reshape(-1, 5, 10, 10)).reshape(-1, 500)
            line, point = self.steep(x[0]), self.one(x[0, 0])
            return (self.down(self.one(planes)) + line + point,)

    class Photo(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 4, 3, stride=2)

        def forward(self, x: Any) -> Any:
            return (self.conv(x).relu().amax((2, 3)),)

    class Decomposed(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return torch.linalg.svd(x)[1].sum()

    class Svd(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = Decomposed()

        def forward(self, x: Any) -> Any:
            return (torch.special.bessel_j0(x) * self.inner(x),)

    class Spectrum(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return (torch.nn.functional.pad(torch.fft.rfft(x).abs(), (0, 1)),)

    class Phase(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return (torch.fft.fft(x).real,)

    class Sorts(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return (torch.sort(x, dim=1)[0],)

    class Misnamed(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return (x[:, :3],)

    torch.manual_seed(0)
    made = {
        "exchanged": Exchanged,
        "photo": Photo,
        "wide": Wide,
        "half": Wide,
        "written_out": WrittenOut,
        "slopes": Slopes,
        "svd": Svd,
        "sorts": Sorts,
        "misnamed": Misnamed,
        "spectrum": Spectrum,
        "phase": Phase,
    }
    return {name: kind().eval() for name, kind in made.items()}


def capture(name: str, folder: Path) -> Graph:
    """The program of a model, as a frontend leaves it."""
    import torch

    from deploy_targets.frontends.arrays import to_tensor
    from deploy_targets.frontends.signature import probe

    folder.mkdir(parents=True)
    examples = probe(SIGNATURES[name].inputs, {"batch": 2}).values()
    size = torch.export.Dim("axis_0", min=1, max=16)
    program = torch.export.export(
        modules()[name],
        tuple(map(to_tensor, examples)),
        dynamic_shapes=[{0: size}] * len(SIGNATURES[name].inputs),
    )
    torch.export.save(program, folder / "model.pt2")
    return Graph(Dialect.EXPORTED, folder, name, "torch.export")


def convert_many(folders: Mapping[str, str]) -> dict[str, str]:
    """The child, one for all: its imports cost more than they do. Answers "" or what was wrong."""
    said = {}
    for name, folder in folders.items():
        graph = Graph(Dialect.EXPORTED, Path(folder), name, "torch.export")
        layouts, half = LAYOUTS.get(name, {}), name == "half"
        order = tflite.packed(Order(graph, SIGNATURES[name], ENTRIES, layouts, half))
        try:
            tflite_from_torch.export(order, folder)
            said[name] = ""
        except DeployError as error:
            said[name] = f"{type(error).__name__}: {error}"
    return said


@dataclasses.dataclass(frozen=True)
class Many:
    folder: Path
    said: Mapping[str, str]

    def converted(self, name: str) -> Converted:
        assert self.said[name] == ""
        return tflite.read(self.folder / name)


def ask_many(file: str, questions: list[str]) -> None:
    """The child: LiteRT's own interpreter. Of each file `NAME.ENTRY.npz` it makes an answer."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(file)
    for question in map(Path, questions):
        runner = interpreter.get_signature_runner(question.suffixes[0].removeprefix("."))
        with np.load(question) as inputs:
            np.savez(question.with_suffix(".answer"), **runner(**inputs))


def in_child(function: str, arguments: Mapping[str, object]) -> Any:
    path = tflite.path(tflite_from_torch.LOCK, Workspace())
    return worker.call(f"{__name__}:{function}", arguments, who="litert-torch", path=path)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Many:
    home = tmp_path_factory.mktemp("programs")
    folders = {name: str(capture(name, home / name).folder) for name in SIGNATURES}
    return Many(home, in_child("convert_many", {"folders": folders}))


def original(name: str, inputs: Tensors) -> dict[str, np.ndarray]:
    import torch

    with torch.no_grad():
        answers = modules()[name](*(torch.from_numpy(np.array(a)) for a in inputs.values()))
    return {s.name: a.numpy() for s, a in zip(SIGNATURES[name].outputs, answers, strict=True)}


def answered(many: Many, folder: Path, name: str, inputs: Tensors) -> list[tuple[Any, Any]]:
    """What was expected and what LiteRT said, call by call."""
    case = Case("seven", "", inputs, original(name, inputs))
    checks = binding.encode(SIGNATURES[name], many.converted(name).entries, case)
    assert [check.call.entry for check in checks] == ["b3", "b3", "b1"]
    questions = [folder / f"{i}.{c.call.entry}.npz" for i, c in enumerate(checks)]
    for question, check in zip(questions, checks, strict=True):
        np.savez(question, **check.call.inputs)
    file = str(many.folder / name / "model.tflite")
    in_child("ask_many", {"file": file, "questions": list(map(str, questions))})
    found = [dict(np.load(f"{question.with_suffix('.answer')}.npz")) for question in questions]
    return list(zip([check.expected for check in checks], found, strict=True))


def test_every_tensor_is_found_under_the_name_that_its_port_says(
    many: Many, tmp_path: Path
) -> None:
    draw = np.random.default_rng(1)
    rows = [draw.normal(size=(7, 4)).astype(np.float32) for _ in range(2)]
    inputs = {"zeta": rows[0], "a/b": rows[1], "class": np.arange(7)}
    for expected, answers in answered(many, tmp_path, "exchanged", inputs):
        assert set(answers) == set(expected)
        for name, want in expected.items():
            np.testing.assert_allclose(answers[name], want, atol=1e-6)


def test_an_image_lies_as_ordered_and_nothing_else_changes(many: Many, tmp_path: Path) -> None:
    (port,) = many.converted("photo").entries[1].inputs
    assert (port.spec.shape, port.axes) == ((3, 6, 8, 3), (0, 2, 3, 1))
    photo = np.random.default_rng(2).normal(size=(7, 3, 6, 8)).astype(np.float32)
    for expected, answers in answered(many, tmp_path, "photo", {"photo": photo}):
        np.testing.assert_allclose(answers["y"], expected["y"], atol=1e-6)


def test_halved_weights_take_half_and_answer_within_the_recipes_budget(
    many: Many, tmp_path: Path
) -> None:
    sizes = [(many.folder / n / "model.tflite").stat().st_size for n in ("wide", "half")]
    # The bias of the first layer, a seventh of all, stays float32.
    assert 0.5 < sizes[1] / sizes[0] < 0.65
    (port,) = many.converted("half").entries[0].inputs
    assert port.spec.dtype == "float32"
    x = np.random.default_rng(3).normal(size=(7, 4)).astype(np.float32)
    for expected, answers in answered(many, tmp_path, "half", {"x": x}):
        off = np.linalg.norm(answers["y"] - expected["y"]) / np.linalg.norm(expected["y"])
        assert 1e-6 < off <= RECIPES["fp16"].budget


def test_names_are_the_models_own_where_python_can_say_them(many: Many) -> None:
    entry = many.converted("exchanged").entries[0]
    assert [port.spec.name for port in entry.inputs] == ["zeta", "input_1", "input_2"]
    assert [port.of for port in entry.inputs] == ["zeta", "a/b", "class"]
    assert [port.spec.name for port in entry.outputs] == ["second", "output_1", "output_2", "hit"]


def test_sixty_four_bits_become_thirty_two_and_the_ports_say_so(many: Many) -> None:
    entry = many.converted("exchanged").entries[1]
    assert [port.spec.dtype for port in entry.inputs] == ["float32", "float32", "int32"]
    assert [port.spec.dtype for port in entry.outputs] == ["float32", "float32", "int32", "bool"]
    assert [port.spec.shape for port in entry.inputs] == [(3, 4), (3, 4), (3,)]


def test_sizes_of_the_batch_share_the_weights(many: Many) -> None:
    once = 4 * (2 * 4 * 9_000 + 9_000 + 4)
    assert once < (many.folder / "wide" / "model.tflite").stat().st_size < 1.1 * once


def test_a_layer_before_a_prelu_lies_in_the_file_once(many: Many) -> None:
    many.converted("slopes")
    once = 4 * (4 * 500 + 500 * 500 + 500 * 4)
    assert once < (many.folder / "slopes" / "model.tflite").stat().st_size < 1.1 * once


def test_a_prelu_answers_as_the_original_at_every_rank(many: Many, tmp_path: Path) -> None:
    # A row that is repeated, for a point and a line of it stand in every answer.
    x = np.repeat(np.random.default_rng(6).normal(size=(1, 4)), 7, axis=0).astype(np.float32)
    for expected, answers in answered(many, tmp_path, "slopes", {"x": -x}):
        np.testing.assert_allclose(answers["y"], expected["y"], atol=1e-5)
    for expected, answers in answered(many, tmp_path, "slopes", {"x": x}):
        np.testing.assert_allclose(answers["y"], expected["y"], atol=1e-5)


def test_all_operators_without_a_form_are_named_with_their_module_and_line(many: Many) -> None:
    said = many.said["svd"]
    assert said.startswith("UnsupportedModel: litert-torch cannot convert it")
    inner, outer = "in inner, tests/converters/test_tflite_from_torch.py:", "aten.special_bessel_j0"
    assert "aten._linalg_svd has no TensorFlow Lite form" in said
    assert inner in said
    assert "`return torch.linalg.svd(x)[1].sum()`" in said
    assert outer in said


def test_complex_numbers_are_refused_with_their_line_before_anything_is_converted(
    many: Many,
) -> None:
    said = many.said["phase"]
    assert "computes with complex numbers in tests/converters/test_tflite_from_torch.py:" in said
    assert "`return (torch.fft.fft(x).real,)`" in said


def test_the_lengths_of_a_spectrum_are_carried(many: Many, tmp_path: Path) -> None:
    x = np.random.default_rng(4).normal(size=(7, 4)).astype(np.float32)
    for expected, answers in answered(many, tmp_path, "spectrum", {"x": x}):
        np.testing.assert_allclose(answers["y"], expected["y"], atol=1e-5)


def test_an_operator_that_litert_cannot_run_is_named(many: Many) -> None:
    assert many.said["sorts"].startswith("UnsupportedModel")
    assert "STABLEHLO_SORT" in many.said["sorts"]


def test_numbers_that_stand_in_the_code_of_a_model_are_carried(many: Many, tmp_path: Path) -> None:
    x = np.random.default_rng(5).normal(size=(7, 4)).astype(np.float32)
    for expected, answers in answered(many, tmp_path, "written_out", {"x": x}):
        np.testing.assert_allclose(answers["y"], expected["y"], atol=1e-6)


def test_a_shape_that_is_not_the_declared_one_is_refused(many: Many) -> None:
    assert many.said["misnamed"].startswith("ConversionFailed")
    assert "y the shape [1, 3], expected [batch, 4]" in many.said["misnamed"]


def test_bytes_are_the_same_in_another_folder_and_another_process(
    many: Many, tmp_path: Path
) -> None:
    graph = capture("exchanged", tmp_path / "somewhere" / "else")
    made = tflite_from_torch.convert(Order(graph, EXCHANGED, ENTRIES), tmp_path, Workspace())
    assert made == many.converted("exchanged")
    first = (many.folder / "exchanged" / "model.tflite").read_bytes()
    assert (tmp_path / "model.tflite").read_bytes() == first


def test_a_conversion_out_of_time_is_stopped_and_named(tmp_path: Path) -> None:
    order = Order(Graph(Dialect.EXPORTED, tmp_path, "", "torch.export"), ONE, ENTRIES)
    with pytest.raises(ConversionFailed, match=r"litert-torch took longer than 0.2 s"):
        tflite_from_torch.convert(order, tmp_path, Workspace(), timeout=0.2)
    assert not (tmp_path / "model.tflite").exists()


def test_a_converter_that_is_killed_is_a_failed_conversion(tmp_path: Path) -> None:
    order = Order(capture("wide", tmp_path / "program"), ONE, ENTRIES)
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(tflite_from_torch.convert, order, tmp_path, Workspace())
        os.kill(child_of_this_process(), signal.SIGKILL)
        with pytest.raises(ConversionFailed, match="litert-torch was killed by SIGKILL"):
            job.result()
    assert not (tmp_path / "model.tflite").exists()


def child_of_this_process() -> int:
    """The first that appears, as Linux lists them."""
    for _ in range(1_000):
        for file in Path("/proc/self/task").glob("*/children"):
            if found := file.read_text().split():
                return int(found[0])
        time.sleep(0.01)
    raise AssertionError("no child was started")
