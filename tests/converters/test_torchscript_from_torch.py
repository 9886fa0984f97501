"""Modules as TorchScript: what a trace burns in is found, and what is scripted is kept whole."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from deploy_targets import frontends
from deploy_targets.converters import onnx_from_torch
from deploy_targets.converters.torchscript_from_torch import save as save_plain
from deploy_targets.errors import ConversionFailed
from deploy_targets.frontends import LoadedModel
from deploy_targets.frontends.signature import probe
from deploy_targets.frontends.torchscript import quiet
from deploy_targets.integrations import worker
from deploy_targets.records import Capture, Dialect, Tensors
from deploy_targets.testing import zoo
from tests.frontends import scripted
from tests.frontends.test_exported import write_program

EXPORTS = (
    ("three_inputs", "trace"),
    ("three_inputs", "script"),
    ("recurrent", "trace"),
    ("crop", "trace"),
    ("crop", "script"),
    ("burns_in", "trace"),
    ("branches", "trace"),
    ("branches", "script"),
    ("nested", "trace"),
    ("nested", "script"),
    ("program", "trace"),
    ("shrinks", "as given"),
    ("shrinks", "legacy"),
    ("shrinks", "TS2EPConverter"),
    ("frozen", "as given"),
    ("listed", "as given"),
    ("listed", "legacy"),
    ("listed", "TS2EPConverter"),
    ("calls_script", "trace"),
    ("calls_script", "legacy"),
    ("stranger", "as given"),
)
DIALECTS = {"legacy": Dialect.ONNX, "TS2EPConverter": Dialect.EXPORTED}
CALLS_SCRIPT = """
import warnings
import torch
from tests.frontends.scripted import Shrinks

class Calls(torch.nn.Module):
    def __init__(self):
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.inner = torch.jit.script(Shrinks().eval())

    def forward(self, x, scale):
        return self.inner(x, scale).scores + 1

def build():
    return Calls().eval()
"""


@dataclasses.dataclass(frozen=True)
class Made:
    models: Mapping[str, LoadedModel]
    folder: Path
    problems: Mapping[str, str]

    def path(self, name: str, how: str) -> Path:
        assert self.problems[f"{name}-{how}"] == ""
        return self.folder / f"{name}-{how}"

    def distance(self, name: str, how: str, *, sign: int = 1, **sizes: int) -> float:
        """The largest difference from the original; infinite for another shape."""
        model = self.models[name]
        inputs = probe(model.signature.inputs, sizes)
        floats = {
            k: np.asarray(sign * v) if v.dtype == np.float32 else v for k, v in inputs.items()
        }
        got = run(self.path(name, how), floats)
        wanted = model.run(floats).values()
        return max(apart(want, have) for want, have in zip(wanted, got, strict=True))


def run(folder: Path, inputs: Tensors) -> list[np.ndarray]:
    if (folder / "model.onnx").is_file():
        import onnxruntime

        session = onnxruntime.InferenceSession(folder / "model.onnx")
        return list(session.run(None, dict(inputs)))
    with quiet(), torch.no_grad():
        if (folder / "model.pt2").is_file():
            module = torch.export.load(folder / "model.pt2").module()
        else:
            module = torch.jit.load(folder / "model.pt")
        answer = module(*(torch.from_numpy(array.copy()) for array in inputs.values()))
    assert isinstance(answer, tuple)
    return [tensor.numpy() for tensor in answer]


def apart(want: np.ndarray, got: np.ndarray) -> float:
    if (got.shape, got.dtype) != (want.shape, want.dtype):
        return float("inf")
    return float(np.abs(want.astype(np.float64) - got.astype(np.float64)).max(initial=0))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("torchscript")
    shrinks = scripted.save(folder, scripted.Shrinks().eval())
    frozen = scripted.save(folder, scripted.Shrinks().eval(), how="freeze", name="frozen.pt")
    listed = scripted.save(folder, scripted.Listed().eval(), name="listed.pt")
    (folder / "calls.py").write_text(CALLS_SCRIPT)
    of_file = scripted.spec(shrinks)
    specs = {
        **zoo.SPECS,
        "program": write_program(folder),
        "shrinks": of_file,
        "frozen": scripted.spec(frozen),
        "listed": scripted.spec(listed, scripted.X),
        "calls_script": dataclasses.replace(of_file, source="calls.py:build"),
    }
    models = {name: frontends.load(specs[name]) for name in dict(EXPORTS) if name in specs}
    # A file that is another by the time it is captured.
    models["stranger"] = models["frozen"]
    jobs = [
        onnx_from_torch.arguments(
            models[name].spec,
            models[name].signature,
            Capture(DIALECTS.get(how, Dialect.TORCHSCRIPT), how),
            folder / f"{name}-{how}",
            "another digest" if name == "stranger" else models[name].weights,
        )
        for name, how in EXPORTS
    ]
    said = worker.call(f"{__package__}.many:export_many", {"jobs": jobs}, who="the exporters")
    keys = [f"{name}-{how}" for name, how in EXPORTS]
    return Made(models, folder, dict(zip(keys, said, strict=True)))


@pytest.mark.parametrize("how", ["trace", "script"])
def test_inputs_go_by_position_and_outputs_come_in_order(made: Made, how: str) -> None:
    for batch in (1, 2, 5):
        assert made.distance("three_inputs", how, batch=batch) < 1e-6


def test_a_recurrent_network_is_traced_for_every_length(made: Made) -> None:
    assert made.distance("recurrent", "trace", batch=2, time=13) < 1e-6


def test_a_size_that_a_trace_burns_in_is_refused_and_named(made: Made) -> None:
    said = made.problems["crop-trace"]
    assert said.startswith("ConversionFailed: the TorchScript (trace) answers otherwise")
    assert "at batch = 8, time = 20: output_0 is float32[8, 4, 18]" in said
    assert "at batch = 2, time = 5" in made.problems["burns_in-trace"]


def test_a_branch_that_a_trace_burns_in_is_refused(made: Made) -> None:
    assert "with other values: output_0 is off by" in made.problems["branches-trace"]


def test_scripting_keeps_what_tracing_burns_in(made: Made) -> None:
    assert made.distance("crop", "script", batch=2, time=17) < 1e-6
    for sign in (1, -1):
        assert made.distance("branches", "script", batch=3, sign=sign) < 1e-6


def test_a_module_that_cannot_be_scripted_is_refused_with_its_line(made: Made) -> None:
    said = made.problems["nested-script"]
    assert said.startswith("UnsupportedModel: torch.jit.script refuses torch_zoo.py, line ")
    assert "`def forward(self, x: Tensor) -> dict[str, object]:`: Unknown type" in said
    assert made.distance("nested", "trace", batch=4) < 1e-6


def test_an_exported_program_is_traced(made: Made) -> None:
    assert made.distance("program", "trace", x_dim_0=5) < 1e-6


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("shrinks", "as given"),
        ("shrinks", "legacy"),
        ("frozen", "as given"),
        ("listed", "as given"),
        ("listed", "legacy"),
        ("listed", "TS2EPConverter"),
        ("calls_script", "trace"),
        ("calls_script", "legacy"),
    ],
)
def test_branches_and_loops_of_torchscript_survive(made: Made, name: str, how: str) -> None:
    for batch, sign in ((1, 1), (5, 1), (7, -1)):
        assert made.distance(name, how, batch=batch, sign=sign) < 1e-5


def test_a_loop_is_not_rewritten_as_an_exported_program(made: Made) -> None:
    # PyTorch's converter raises it; the worker, not here, says so in a sentence.
    assert made.problems["shrinks-TS2EPConverter"] == "RuntimeError"


def test_a_file_that_changed_is_not_captured(made: Made) -> None:
    said = made.problems["stranger-as given"]
    assert said.startswith("ConversionFailed")
    assert "frozen.pt changed while it was being built" in said


def test_bytes_are_the_same_in_another_folder_and_hold_no_path(tmp_path: Path) -> None:
    written = []
    for name in ("a", "another"):
        model = frontends.load(zoo.write(tmp_path / name / "source"))
        model.capture(Capture(Dialect.TORCHSCRIPT, "script"), tmp_path / name)
        written.append((tmp_path / name / "model.pt").read_bytes())
    assert written[0] == written[1]
    assert str(tmp_path).encode() not in written[0]


def test_neither_lines_nor_example_inputs_are_kept(tmp_path: Path) -> None:
    whole = scripted.save(tmp_path, torch.nn.Linear(4, 2).eval(), how="trace", name="whole.pt")
    with quiet():
        save_plain(torch.jit.load(whole), tmp_path / "model.pt")
        kept = torch.jit.load(tmp_path / "model.pt")
    assert b"debug_pkl" in whole.read_bytes()
    assert b"debug_pkl" not in (tmp_path / "model.pt").read_bytes()
    assert kept(torch.ones(1, 4)).shape == (1, 2)


def test_a_tracer_out_of_time_is_stopped_and_named(tmp_path: Path) -> None:
    model = frontends.load(zoo.SPECS["internal"], timeout=0.2)
    with pytest.raises(ConversionFailed, match=r"the trace exporter took longer than 0.2 s"):
        model.capture(Capture(Dialect.TORCHSCRIPT, "trace"), tmp_path)
