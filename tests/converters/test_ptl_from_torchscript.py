"""TorchScript to a .ptl: what is done to a module, what is left out and said, what is refused."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.jit import mobile
from torch.utils import mobile_optimizer

from deploy_targets.converters import ptl, ptl_from_torchscript
from deploy_targets.converters.ptl import Converted, Order
from deploy_targets.errors import ConversionFailed, UnsupportedModel
from deploy_targets.records import Dialect, DynamicAxis, Graph, Signature, TensorSpec

# That TorchScript is deprecated is known; the converter itself runs in a process of its own.
pytestmark = pytest.mark.filterwarnings("ignore:.*(torch.jit.|Lite Interp):DeprecationWarning")

BATCH = (DynamicAxis("batch", 1, 8),)
X = TensorSpec("x", "float32", ("batch", 4))
ONE = Signature((X,), (TensorSpec("y", "float32", ("batch", 4)),), BATCH, "batch")
WITHOUT_XNNPACK = "optimize_for_mobile was not used: this PyTorch is built without XNNPACK"


def order(folder: Path, module: nn.Module, signature: Signature = ONE) -> Order:
    """A captured graph, as the frontends leave it: by position, a tuple."""
    folder.mkdir(exist_ok=True)
    scripted: Any = torch.jit.script(module.eval())
    torch.jit.save(scripted, folder / "model.pt")
    return Order(Graph(Dialect.TORCHSCRIPT, folder, "", "script"), signature)


def converted(asked: Order, folder: Path) -> Converted:
    """The child's half, in this process: it takes a second and not ten."""
    folder.mkdir(exist_ok=True)
    ptl_from_torchscript.export(ptl.packed(asked), str(folder))
    return ptl.read(folder)


def asked(folder: Path, *tensors: Tensor) -> tuple[Tensor, ...]:
    answer: tuple[Tensor, ...] = mobile._load_for_lite_interpreter(str(folder / ptl.FILE))(*tensors)
    return answer


class Folded(nn.Module):
    """A convolution and a normalisation, which become one."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, 3, (1, 3), padding=(0, 1)), nn.BatchNorm2d(3))

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.layers(x.unsqueeze(1).unsqueeze(1)).sum((1, 2)),)


class Steep(Folded):
    """It loses digits between the two layers; as one layer it would not."""

    def __init__(self) -> None:
        super().__init__()
        self.layers[0].bias.data += 1e6
        self.layers[1].running_mean += 1e6


class Loop(nn.Module):
    """A loop and a branch, by size and by numbers."""

    def forward(self, x: Tensor) -> tuple[Tensor]:
        rows = []
        for row in range(x.size(0)):
            rows.append(x[row] if bool(x[row].sum() > 0) else x[row] * row)
        return (torch.stack(rows),)


class Recurrent(nn.Module):
    """An LSTM in both directions."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(1, 2, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.lstm(x.unsqueeze(2))[0].sum(2),)


class Encoder(nn.Module):
    """A layer of a transformer."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(1, 8)
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.layer(self.embed(x.unsqueeze(2))).sum(2),)


class Step(nn.Module):
    """What may be exchanged while it runs."""

    def forward(self, x: Tensor) -> Tensor:
        pass  # so much of a body PyTorch wants


with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    Step = torch.jit.interface(Step)


class Twice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 2


class Thrice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * 3


class Exchanging(nn.Module):
    """It exchanges a part of itself, which cannot be frozen."""

    step: Step

    def __init__(self) -> None:
        super().__init__()
        self.step = Twice()
        self.other = Thrice()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        if bool(x.sum() > 1e6):
            self.step = self.other
        return (self.step(x),)


# TorchScript resolves no names that are annotations from the future.
Exchanging.__annotations__["step"] = Step


class Forks(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (torch.jit.wait(torch.jit.fork(torch.sin, x)),)


class Within(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        with torch.no_grad():
            y = x + 1
        return (y,)


class Pair:
    """No module."""

    def __init__(self, x: Tensor) -> None:
        self.x = x


class Classes(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (Pair(x).x,)


@pytest.mark.parametrize("kind", [Folded, Loop, Recurrent, Encoder])
def test_it_answers_as_the_module_at_every_size(kind: type[nn.Module], tmp_path: Path) -> None:
    torch.manual_seed(0)
    module = kind()
    made = converted(order(tmp_path, module), tmp_path)
    for size in (1, 2, 7):
        x = torch.randn(size, 4)
        with torch.no_grad():
            torch.testing.assert_close(asked(tmp_path, x), module(x))
    assert made.entry == ptl.entry(ONE)
    assert made.entry.inputs[0].spec.shape == ("batch", 4)
    assert "torch.jit.freeze" not in " ".join(made.notes)


def test_a_frozen_module_holds_no_layers_that_were_folded(tmp_path: Path) -> None:
    given = order(tmp_path / "in", Folded())
    frozen = converted(given, tmp_path / "frozen")
    plain = converted(replace(given, freeze=False), tmp_path / "plain")
    assert "aten::batch_norm" in set(plain.operators) - set(frozen.operators)
    # Who asks for no freezing asks for no rewriting either, and knows it.
    assert plain.notes == ()


def test_without_xnnpack_its_absence_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if WITHOUT_XNNPACK not in converted(order(tmp_path, Folded()), tmp_path).notes:
        monkeypatch.setattr(mobile_optimizer, "optimize_for_mobile", lacks_xnnpack)
        made = converted(order(tmp_path, Folded()), tmp_path)
        assert made.notes == (WITHOUT_XNNPACK,)


def lacks_xnnpack(module: object) -> object:
    raise RuntimeError(
        "Mobile optimization only available with XNNPACK at the moment. XNNPACK is "
        "not enabled. Please build with USE_XNNPACK=1"
    )


def test_with_xnnpack_what_is_rewritten_is_used_where_it_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mobile_optimizer, "optimize_for_mobile", lambda module: module)
    assert converted(order(tmp_path, Folded()), tmp_path).notes == ()
    wrong = torch.jit.script(Loop().eval())
    monkeypatch.setattr(mobile_optimizer, "optimize_for_mobile", lambda module: wrong)
    made = converted(order(tmp_path, Folded()), tmp_path)
    assert made.notes == ("optimize_for_mobile was not used: the answer y changes",)
    assert "aten::conv2d" in " ".join(made.operators)


def test_a_module_that_cannot_be_frozen_is_taken_as_it_is(tmp_path: Path) -> None:
    made = converted(order(tmp_path, Exchanging()), tmp_path)
    (said,) = [note for note in made.notes if note.startswith("torch.jit.freeze was not used: ")]
    assert said.endswith(
        "Freezing does not support SetAttr on an interface type. SetAttr is attempted on 'step'"
    )
    x = torch.ones(2, 4)
    torch.testing.assert_close(asked(tmp_path, x), (x * 2,))


def test_freezing_that_changes_the_answers_is_left_out(tmp_path: Path) -> None:
    module = Steep()
    made = converted(order(tmp_path, module), tmp_path)
    assert "torch.jit.freeze was not used: the answer y changes" in made.notes
    assert "aten::batch_norm" in made.operators


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (Forks(), "it has no torch.jit.fork"),
        (Within(), "it has no `with` blocks"),
        (Classes(), "it takes no classes that are no modules, and .*Pair is one"),
    ],
)
def test_what_the_interpreter_lacks_is_refused_by_its_name_in_python(
    module: nn.Module, why: str, tmp_path: Path
) -> None:
    with pytest.raises(UnsupportedModel, match=f"the lite interpreter cannot run it: {why}$"):
        converted(order(tmp_path, module), tmp_path)


CAST = Signature(
    (
        TensorSpec("flag", "bool", ("batch",)),
        TensorSpec("half", "float16", ("batch",)),
        TensorSpec("short", "int16", ("batch",)),
    ),
    (TensorSpec("not", "bool", ("batch",)), TensorSpec("sum", "float16", ("batch",))),
    BATCH,
    "batch",
)


class Casts(nn.Module):
    def forward(self, flag: Tensor, half: Tensor, short: Tensor) -> tuple[Tensor, Tensor]:
        return ~flag, half + short.to(torch.float16)


def test_datatypes_that_android_lacks_are_cast_at_the_boundary(tmp_path: Path) -> None:
    made = converted(order(tmp_path, Casts(), CAST), tmp_path)
    assert [port.spec.dtype for port in made.entry.inputs] == ["uint8", "float32", "int32"]
    assert [port.spec.dtype for port in made.entry.outputs] == ["uint8", "float32"]
    flag = torch.tensor([1, 0, 1], dtype=torch.uint8)
    half, short = torch.tensor([0.5, 1.5, 2.5]), torch.tensor([1, 2, 3], dtype=torch.int32)
    negated, total = asked(tmp_path, flag, half, short)
    torch.testing.assert_close(negated, 1 - flag)
    torch.testing.assert_close(total, half + short)


def test_other_datatypes_are_refused_before_anything_is_converted() -> None:
    wide = replace(ONE, outputs=(TensorSpec("y", "uint32", ("batch", 4)),))
    assert ptl.problems(CAST) == ()
    (said,) = ptl.problems(wide)
    assert said.startswith("y is uint32, which the Android API of PyTorch does not have")


def test_the_file_says_its_bytecode_and_its_operators(tmp_path: Path) -> None:
    made = converted(order(tmp_path, Encoder()), tmp_path)
    assert made.bytecode == mobile._get_model_bytecode_version(str(tmp_path / ptl.FILE))
    assert 4 <= made.bytecode <= 9
    assert {"aten::linear", "aten::layer_norm"} & set(made.operators)
    assert list(made.operators) == sorted(made.operators)


def test_a_child_converts_in_any_folder_to_the_same_bytes_and_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given = order(tmp_path / "in", Folded())
    (tmp_path / "out").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = ptl_from_torchscript.convert(given, tmp_path / "out")
    assert capfd.readouterr() == ("", "")
    assert made == converted(given, tmp_path / "again")
    files = [(tmp_path / name / ptl.FILE).read_bytes() for name in ("out", "again")]
    assert files[0] == files[1]
    assert str(tmp_path).encode() not in files[0]
    assert json.loads((tmp_path / "out" / ptl.ENTRIES).read_text())["bytecode"] == made.bytecode


def test_a_conversion_has_the_time_that_it_is_given(tmp_path: Path) -> None:
    with pytest.raises(ConversionFailed, match=r"took longer than 0\.2 s"):
        ptl_from_torchscript.convert(order(tmp_path, Folded()), tmp_path, timeout=0.2)


def test_the_key_follows_the_graph_and_the_options(tmp_path: Path) -> None:
    given = order(tmp_path / "one", Folded())
    other = order(tmp_path / "two", Loop())
    keys = {ptl.key(each) for each in (given, other, replace(given, freeze=False))}
    assert len(keys) == 3
