"""coremltools on models that set traps. No package runs here: what each says of itself is read."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from deploy_targets.converters import coreml
from deploy_targets.converters.coreml import Converted, Order, from_torch
from deploy_targets.errors import ConversionFailed
from deploy_targets.integrations import worker
from deploy_targets.records import Dialect, DynamicAxis, Graph, Port, Signature, TensorSpec
from deploy_targets.workspace import Workspace

BATCH, TIME = DynamicAxis("batch", 1, 16), DynamicAxis("time", 2, 24)
ROW = ("batch", 4)
EXPORTED, SCRIPT = Dialect.EXPORTED, Dialect.TORCHSCRIPT


def one(shape: Any, answer: Any = ROW, dtype: str = "float32") -> Signature:
    """One input, one output."""
    axes = tuple(axis for axis in (BATCH, TIME) if axis.name in shape)
    return Signature(
        (TensorSpec("x", dtype, shape),), (TensorSpec("y", "float32", answer),), axes, "batch"
    )


EXCHANGED = Signature(
    # Alike in shape; most are no names that a package can have, or have twice.
    inputs=(
        TensorSpec("zeta", "float32", ROW),
        TensorSpec("a/b", "float64", ROW),
        TensorSpec("tensor", "int64", ("batch",), range=(0, 9)),
        TensorSpec("flag", "bool", ("batch",)),
    ),
    outputs=(
        TensorSpec("zeta", "float32", ROW),
        TensorSpec("linear", "float32", ROW),
        TensorSpec("0", "int64", ("batch",)),
        TensorSpec("hit", "bool", ROW),
        TensorSpec("same", "float32", ROW),
    ),
    axes=(BATCH,),
    batch="batch",
)
IMAGE = one(("batch", 3, 8, 8), ("batch", 5))
TEXT = one(("batch", "time"), ("batch", "time", 3), "int64")
SOUND = one(("batch", "time", 3), ("batch", "time", 2))
SIGNATURES = {
    "cnn": IMAGE,
    "grouped": one(ROW, ROW),
    "prelu": one(ROW, ROW),
    "lstm": SOUND,
    "encoder": TEXT,
    "exchanged": EXCHANGED,
    "products": one(("batch", "time", 4), ("batch*time", 2)),
    "large": one(ROW, ROW),
    "svd": one(ROW, ()),
    "phase": one(ROW, ROW),
    "misnamed": one(ROW, ROW),
    "scalar": one((), ()),
}
Job = tuple[str, Dialect, dict[str, Any]]
JOBS: dict[str, Job] = {
    "cnn": ("cnn", EXPORTED, {}),
    "cnn, script": ("cnn", SCRIPT, {"minimum": "iOS17"}),
    "cnn, half": ("cnn", EXPORTED, {"half": True, "minimum": "iOS18"}),
    "cnn, turned": ("cnn", EXPORTED, {"layouts": {"x": (0, 2, 3, 1)}, "fixed": {"batch": 2}}),
    "cnn, turned script": ("cnn", SCRIPT, {"layouts": {"x": (0, 2, 3, 1)}}),
    "grouped": ("grouped", EXPORTED, {}),
    "grouped, script": ("grouped", SCRIPT, {}),
    "prelu": ("prelu", EXPORTED, {}),
    "prelu, half": ("prelu", SCRIPT, {"half": True}),
    "lstm": ("lstm", SCRIPT, {}),
    "lstm, half": ("lstm", SCRIPT, {"half": True}),
    "encoder": ("encoder", SCRIPT, {"half": True, "fixed": {"time": 6}}),
    "exchanged": ("exchanged", EXPORTED, {}),
    "exchanged, script": ("exchanged", SCRIPT, {}),
    "products, fixed": ("products", SCRIPT, {"fixed": {"batch": 2}}),
    "large, half": ("large", EXPORTED, {"half": True}),
    "svd": ("svd", EXPORTED, {}),
    "svd, script": ("svd", SCRIPT, {}),
    "phase": ("phase", EXPORTED, {}),
    "misnamed": ("misnamed", EXPORTED, {}),
    "scalar": ("scalar", EXPORTED, {}),
}
"""What is converted: the model, the dialect, and what is ordered besides."""


def modules() -> dict[str, Any]:
    """The models, by name. In a function, for it needs PyTorch."""
    import torch
    from torch import nn

    from deploy_targets.testing import zoo

    class Exchanged(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(10, 4)

        def forward(self, zeta: Any, ab: Any, index: Any, flag: Any) -> Any:
            sums = torch.where(flag[:, None], ab.float() + self.embed(index), zeta)
            return zeta, sums, index + 1, zeta > ab, sums

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
            self.embed, self.layers = nn.Embedding(50, 16), nn.TransformerEncoder(layer, 1)
            self.head = nn.Linear(16, 3)

        def forward(self, x: Any) -> Any:
            return (self.head(self.layers(self.embed(x))),)

    class Tuple(nn.Module):
        def __init__(self, inner: Any) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, x: Any) -> Any:
            return (self.inner(x),)

    class Decomposed(nn.Module):
        def forward(self, x: Any) -> Any:
            return torch.linalg.svd(x)[1].sum()

    def large() -> Any:
        linear = nn.Linear(4, 4)
        nn.init.constant_(linear.weight[1, 2:3], 1e5)
        return linear

    torch.manual_seed(0)
    inner: dict[str, Any] = {
        "cnn": nn.Sequential(
            *(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU()),
            *(nn.ConvTranspose2d(8, 6, 2, stride=2), nn.BatchNorm2d(6), nn.ReLU()),
            *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5)),
        ),
        "grouped": nn.Sequential(
            *(nn.Unflatten(1, (4, 1)), nn.ConvTranspose1d(4, 6, 2, groups=2), nn.BatchNorm1d(6)),
            *(nn.Flatten(), nn.Linear(12, 4)),
        ),
        "prelu": nn.Sequential(nn.Linear(4, 4), nn.PReLU(4)),
        "lstm": zoo.recurrent(),
        "products": zoo.reshapes(),
        "svd": Decomposed(),
        "large": large(),
    }
    for layer in (*inner["cnn"], *inner["grouped"]):
        if isinstance(layer, nn.BatchNorm2d | nn.BatchNorm1d):
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
    nn.init.normal_(inner["prelu"][1].weight)
    made: dict[str, Any] = {name: Tuple(each) for name, each in inner.items()}
    made |= {"exchanged": Exchanged(), "encoder": Encoder()}
    made |= {name: Tuple(Function(name)) for name in ("phase", "misnamed", "scalar")}
    return {name: each.eval() for name, each in made.items()}


def Function(name: str) -> Any:
    """A module of one line."""
    import torch

    does: dict[str, Any] = {
        "phase": lambda x: torch.fft.fft(x).real,
        "misnamed": lambda x: x[:, :3] + 1,
        "scalar": lambda x: x + 1,
    }

    class Line(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            return does[name](x)

    return Line()


def capture(name: str, dialect: Dialect, folder: Path) -> Graph:
    """The graph of a model, as a frontend leaves it."""
    import torch

    from deploy_targets.converters.onnx_from_torch import _dynamic_shapes
    from deploy_targets.frontends.arrays import to_tensor
    from deploy_targets.frontends.signature import probe

    folder.mkdir(parents=True)
    wanted = SIGNATURES[name]
    arrays = probe(wanted.inputs, {"batch": 2, "time": 5})
    examples = tuple(map(to_tensor, arrays.values()))
    torch.backends.mha.set_fastpath_enabled(False)
    if dialect is EXPORTED:
        shapes = _dynamic_shapes(wanted)[0]
        torch.export.save(
            torch.export.export(modules()[name], examples, dynamic_shapes=shapes),
            folder / "model.pt2",
        )
    else:
        with torch.no_grad():
            traced = torch.jit.trace(modules()[name], examples, check_trace=False)
        traced.save(str(folder / "model.pt"))
    return Graph(dialect, folder, name, "")


def convert_many(folder: str) -> dict[str, str]:
    """The child, one for all: its imports cost more than they do. Answers "" or what was wrong."""
    import warnings

    # Of tracing, of which every word is known.
    warnings.simplefilter("ignore")
    said = {}
    for key, (name, dialect, told) in JOBS.items():
        graph = Path(folder, "graphs", f"{name}-{dialect}")
        if not graph.exists():
            capture(name, dialect, graph)
        (home := Path(folder, key)).mkdir()
        order = Order(Graph(dialect, graph, name, ""), SIGNATURES[name], **told)
        try:
            from_torch.export(coreml.packed(order), str(home))
            said[key] = ""
        except Exception as error:
            said[key] = f"{type(error).__name__}: {error}"
    return said | spoilt(Path(folder))


def spoilt(folder: Path) -> dict[str, str]:
    """The CNN's package, changed in one way and another: what its check says of each."""
    from deploy_targets.converters.coreml import checked
    from deploy_targets.converters.coreml.constants import of
    from deploy_targets.errors import DeployError

    name, dialect, _ = JOBS["cnn, script"]
    graph = folder / "graphs" / f"{name}-{dialect}"
    order = Order(Graph(dialect, graph, name, ""), SIGNATURES[name], minimum="iOS17")
    constants = of(from_torch._read(order))
    said = {}
    for what, spoil in SPOILS.items():
        package = folder / what / coreml.FOLDER
        shutil.copytree(folder / "cnn, script" / coreml.FOLDER, package)
        spoil(package)
        try:
            checked.check(package, order, constants)
            said[what] = ""
        except DeployError as error:
            said[what] = f"{type(error).__name__}: {error}"
    return said


def change_number(package: Path, constant: str, by: float) -> None:
    """One of the numbers of that constant, where they lie in the file of weights."""
    import numpy as np

    from deploy_targets.converters.coreml import checked

    spec = checked._spec(package)
    main = checked._program(spec, package).functions["main"]
    held = checked.held(main)
    name = next(n for n, values in held.items() if n == constant or str(values.shape) == constant)
    file = package / "Data" / "com.apple.CoreML" / "weights" / "weight.bin"
    data, old = file.read_bytes(), held[name].tobytes()
    assert data.count(old) == 1
    new = np.array(held[name])
    new.flat[1] += by
    file.write_bytes(data.replace(old, new.tobytes()))


def change_spec(package: Path, change: Callable[[Any], object]) -> None:
    from coremltools.models.utils import load_spec

    from deploy_targets.converters.coreml.package import MODEL

    spec = load_spec(str(package))
    change(spec)
    (package / MODEL).write_bytes(spec.SerializeToString())


def _input(spec: Any) -> Any:
    return spec.description.input[0]


SPOILS: dict[str, Callable[[Path], None]] = {
    "nothing": lambda package: None,
    "a weight": lambda package: change_number(package, "inner_8_weight", 1e-6),
    "a folded weight": lambda package: change_number(package, "(8, 3, 3, 3)", 1e-3),
    "a transposed weight": lambda package: change_number(package, "(8, 6, 2, 2)", 1e-3),
    "a name": lambda package: change_spec(
        package, lambda spec: setattr(_input(spec), "name", "other")
    ),
    "a range": lambda package: change_spec(
        package,
        lambda spec: setattr(
            _input(spec).type.multiArrayType.shapeRange.sizeRanges[0], "upperBound", 17
        ),
    ),
    "a dtype": lambda package: change_spec(
        package, lambda spec: setattr(_input(spec).type.multiArrayType, "dataType", 131104)
    ),
    "a version": lambda package: change_spec(
        package, lambda spec: setattr(spec, "specificationVersion", 9)
    ),
    "the program": lambda package: (
        (package / "Data/com.apple.CoreML/model.mlmodel").write_bytes(b"no program") and None
    ),
}


def in_child(function: str, arguments: Mapping[str, object]) -> Any:
    path = coreml.path(Workspace())
    return worker.call(f"{__name__}:{function}", arguments, who="coremltools", path=path)


@dataclasses.dataclass(frozen=True)
class Many:
    folder: Path
    said: Mapping[str, str]

    def converted(self, key: str) -> Converted:
        assert self.said[key] == ""
        return coreml.read(self.folder / key)

    def ports(self, key: str) -> list[Port]:
        (entry,) = self.converted(key).entries
        return [*entry.inputs, *entry.outputs]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Many:
    home = tmp_path_factory.mktemp("packages")
    return Many(home, in_child("convert_many", {"folder": str(home)}))


FOUND = {
    "cnn": "folded into others",
    "cnn, script": "folded into others",
    "cnn, half": "at float16",
    "cnn, turned": "folded into others",
    "cnn, turned script": "folded into others",
    "grouped": "100 % equal",
    "grouped, script": "100 % equal",
    "prelu": "100 % equal",
    # Beyond float16: coremltools leaves such a weight float32, or it would not be found.
    "large, half": "100 % equal",
    "prelu, half": "at float16: 100 % equal",
    "lstm": "folded into others",
    "lstm, half": "folded into others",
    "encoder": "at float16: 100 % equal",
    "exchanged": "100 % equal",
    "exchanged, script": "100 % equal",
    "products, fixed": "100 % equal",
}


@pytest.mark.parametrize("key", FOUND)
def test_every_weight_is_found_in_the_package(many: Many, key: str) -> None:
    found = many.converted(key).notes
    assert FOUND[key] in found[0]
    assert not [note for note in found if "not found" in note or "another order" in note]
    shares = [float(part.split(" %")[0]) for part in found[0].split(": ")[1].split(", ")]
    assert sum(shares) == pytest.approx(100, abs=0.1)


def test_names_are_the_models_own_where_a_package_can_have_them_once(many: Many) -> None:
    for key in ("exchanged", "exchanged, script"):
        ports = many.ports(key)
        names = [port.spec.name for port in ports]
        assert names[:4] == ["zeta", "input_1", "input_2", "flag"]
        assert names[4:] == ["output_0", "linear", "output_2", "hit", "same"]
        assert [port.of for port in ports[:4]] == ["zeta", "a/b", "tensor", "flag"]
        assert [port.of for port in ports[4:]] == ["zeta", "linear", "0", "hit", "same"]


def test_dtypes_that_a_package_has_not_become_others_and_the_ports_say_so(many: Many) -> None:
    dtypes = [port.spec.dtype for port in many.ports("exchanged")]
    assert dtypes[:4] == ["float32", "float32", "int32", "int32"]
    assert dtypes[4:] == ["float32", "float32", "int32", "int32", "float32"]


def test_what_goes_in_and_out_stays_float32_when_the_rest_is_halved(many: Many) -> None:
    assert {port.spec.dtype for port in many.ports("cnn, half")} == {"float32"}


def test_axes_stay_dynamic_and_those_that_are_fixed_do_not(many: Many) -> None:
    assert [port.spec.shape for port in many.ports("encoder")] == [("batch", 6), ("batch", 6, 3)]
    shapes = [port.spec.shape for port in many.ports("products, fixed")]
    assert shapes == [(2, "time", 4), ("time*2", 2)]


def test_an_image_lies_as_ordered(many: Many) -> None:
    for key, batch in (("cnn, turned", 2), ("cnn, turned script", "batch")):
        image = many.ports(key)[0]
        assert (image.spec.shape, image.axes) == ((batch, 8, 8, 3), (0, 2, 3, 1))


def test_operators_without_a_form_are_named_with_their_module_and_line(many: Many) -> None:
    said = many.said["svd"]
    assert said.startswith("UnsupportedModel: coremltools cannot convert it: aten.linalg_svd has")
    assert "in inner, tests/converters/coreml/test_from_torch.py:" in said
    assert "`return torch.linalg.svd(x)[1].sum()`" in said
    script = many.said["svd, script"]
    assert script.startswith("UnsupportedModel: coremltools cannot convert it: linalg_svd has")
    assert "in inner" in script


def test_complex_numbers_are_refused_with_their_line(many: Many) -> None:
    assert "computes with complex numbers in inner" in many.said["phase"]


def test_a_scalar_is_refused_before_anything_is_converted(many: Many) -> None:
    assert many.said["scalar"].startswith("UnsupportedModel")
    assert "x is a scalar" in many.said["scalar"]


def test_a_shape_that_is_not_the_declared_one_is_refused(many: Many) -> None:
    said = many.said["misnamed"]
    assert said.startswith("ConversionFailed: the package is not what was ordered: y has the shape")
    assert "3], expected [batch, 4]" in said


REFUSED = {
    "a weight": "the package's inner_8_weight is not inner.8.weight: of 30 numbers 1 differ",
    "a folded weight": "is not inner.0.weight with inner.1.running_var with inner.1.weight: of 216",
    "a transposed weight": "is not inner.3.weight with inner.4.running_var with inner.4.weight: of",
    "a name": "it has the tensors ['other'], expected ['x']",
    "a range": "x takes [1..17, 3, 8, 8], expected [1..16, 3, 8, 8]",
    "a dtype": "x is int32, expected float32",
    "a version": "it is of version 9, expected 8, which iOS17 takes",
    "the program": "it cannot be read",
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_package_in_which_one_thing_is_changed_is_refused(many: Many, what: str) -> None:
    assert many.said["nothing"] == ""
    assert many.said[what].startswith("ConversionFailed")
    assert REFUSED[what] in many.said[what]


def test_bytes_are_the_same_in_another_folder_and_process_and_nothing_is_said_on_the_way(
    many: Many, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    graph = Graph(SCRIPT, many.folder / "graphs" / "lstm-torchscript", "", "")
    made = from_torch.convert(Order(graph, SOUND), tmp_path, Workspace())
    assert made == many.converted("lstm")
    assert contents(tmp_path) == contents(many.folder / "lstm")
    assert capfd.readouterr() == ("", "")
    assert "has not been tested with coremltools" in (tmp_path / coreml.LOG).read_text()
    (tool,) = json.loads((tmp_path / "entries.json").read_text())["tools"].keys() - {"torch"}
    assert tool == "coremltools"


def test_a_conversion_out_of_time_is_stopped_and_named(tmp_path: Path) -> None:
    order = Order(Graph(SCRIPT, tmp_path, "", ""), SOUND)
    with pytest.raises(ConversionFailed, match=r"coremltools took longer than 0.2 s"):
        from_torch.convert(order, tmp_path, Workspace(), timeout=0.2)
    assert not (tmp_path / coreml.FOLDER).exists()


def contents(folder: Path) -> dict[str, bytes]:
    package = folder / coreml.FOLDER
    files = (file for file in package.rglob("*") if file.is_file())
    return {str(file.relative_to(package)): file.read_bytes() for file in files}
