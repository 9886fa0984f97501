"""From raw bytes to words in AWS's own emulator: judged, asked awkwardly, with planted faults."""

from __future__ import annotations

import io
import json
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from deploy_targets import bundle as bundles
from deploy_targets import pipeline, registry
from deploy_targets.composing import Steps
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.integrations.lambda_emulator import Function
from deploy_targets.parity.verify import verify
from deploy_targets.pipeline import Job, Outcome
from deploy_targets.records import BYTES, TENSORS, Bundle, DynamicAxis, TensorSpec
from deploy_targets.stages.audio import AudioBefore, Length
from deploy_targets.stages.base import After, Before
from deploy_targets.stages.classes import ClassesAfter
from deploy_targets.stages.image import ImageBefore, Resize
from deploy_targets.stages.own import Own
from deploy_targets.stages.rows import TableBefore
from deploy_targets.targets.aws_lambda import calls
from deploy_targets.targets.aws_lambda.runner import LambdaRunner, started
from deploy_targets.verdicts import Verdict
from deploy_targets.workspace import Workspace

CORNER = """
import torch

class Corner(torch.nn.Module):
    \"\"\"The colour of the top left quarter.\"\"\"

    def __init__(self):
        super().__init__()
        self.colour = torch.nn.Linear(3, 3)
        self.colour.weight.data = 4 * torch.eye(3)
        self.colour.bias.data = torch.tensor([0.0, 0.25, 0.5])

    def forward(self, image):
        return self.colour(image[:, :, :4, :4].mean((2, 3)))

def build():
    return Corner().eval()
"""
COLOURS = ("red", "green", "blue")
RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def built(
    spec: SourceSpec,
    out: Path,
    before: Mapping[str, Before],
    after: Mapping[str, After],
    **options: object,
) -> Outcome:
    job = Job(spec, registry.load("lambda", options), out, steps=Steps(before, after, out.parent))
    return pipeline.build(job, Workspace(), reuse=False)


@pytest.fixture(scope="module")
def corner(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A classifier of photos, from JPEG and PNG to the name of a colour."""
    home = tmp_path_factory.mktemp("corner")
    (home / "model.py").write_text(CORNER)
    spec = SourceSpec(
        "model.py:build",
        home,
        inputs=(TensorSpec("image", "float32", ("batch", 3, 8, 8)),),
        outputs=(("colour", "plain"),),
        axes=(DynamicAxis("batch", 1, 4),),
        batch="batch",
    )
    image = ImageBefore(type="image", resize=Resize(to=(8, 8)), scale=1 / 255, layout="nchw")
    names = ClassesAfter(activation="softmax", top_k=3, labels=COLOURS)
    return built(spec, home / "out", {"image": image}, {"colour": names})


class Asked:
    """A started function that is asked as API Gateway asks it."""

    def __init__(self, function: Function) -> None:
        self._function = function

    def __call__(self, body: bytes, kind: str, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Status, headers, and the JSON of the answer."""
        event = calls.event("POST", "/predict", body, {"content-type": kind, **headers})
        status, said, content = calls.response(self._function.invoke(event, timeout=20))
        return status, said, json.loads(content)


@pytest.fixture(scope="module")
def ask(corner: Outcome) -> Iterator[Asked]:
    with started(corner.bundle, Workspace()) as function:
        yield Asked(function)


def photo(size: int = 64) -> Image.Image:
    """Red at the top left, green at the top right, blue and white below."""
    pixels = np.zeros((size, size, 3), np.uint8)
    half = size // 2
    pixels[:half, :half], pixels[:half, half:] = RED, GREEN
    pixels[half:, :half], pixels[half:, half:] = BLUE, WHITE
    return Image.fromarray(pixels)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def test_both_lines_of_the_verdict_pass(corner: Outcome) -> None:
    rows = {row.golden: row for row in corner.report.rows}
    assert rows.keys() == {TENSORS, BYTES}
    assert corner.verdict is Verdict.PASS, [row.reason for row in rows.values()]
    asked = {parity.call.partition("/")[0] for parity in rows[BYTES].parity}
    assert len(asked) > 5, "raw inputs that are awkward and yet right were asked"


def test_the_readme_says_how_to_send_a_photo(corner: Outcome) -> None:
    text = (corner.bundle.path / "README.md").read_text(encoding="utf-8")
    assert "curl -s -H 'Content-Type: image/jpeg' --data-binary @photo.jpg URL/predict" in text
    assert '{"colour": [{"label": "red", "index": 0, "score": 0.9}' in text
    assert "\n\nIt also speaks the Open Inference Protocol" in text


def test_the_manifest_says_where_each_step_runs(corner: Outcome) -> None:
    where = {stage.op: stage.where for stage in corner.bundle.manifest.stages}
    assert where["decode_image"] == where["resize"] == where["label"] == "host"
    assert where["scale"] == where["softmax"] == where["top_k"] == "graph"
    with zipfile.ZipFile(corner.bundle.path / "function.zip") as archive:
        names = archive.namelist()
    assert {"before-0.onnx", "after.onnx", "stages.json", "serving/stages/image.py"} <= set(names)
    assert "PIL/Image.pyc" in names
    assert not any(name.startswith("soundfile") for name in names)


def test_a_photo_is_answered_in_words(ask: Asked) -> None:
    status, headers, said = ask(saved(photo(), "PNG"), "image/png")
    assert status == 200
    assert said["colour"][0]["label"] == "red"
    assert sum(entry["score"] for entry in said["colour"]) == pytest.approx(1, abs=1e-6)
    spans = [part.split(";")[0].strip() for part in headers["server-timing"].split(",")]
    assert spans == ["decode", "before", "run", "after", "encode"]


TURNED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""EXIF's orientation -> how a camera that was held so has stored an upright photo."""


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright_as_its_exif_says(ask: Asked, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turn = TURNED.get(orientation)
    stored = photo() if turn is None else photo().transpose(turn)
    _, _, upright = ask(saved(photo(), "PNG"), "image/png")
    status, _, said = ask(saved(stored, "PNG", exif=exif), "image/png")
    assert (status, said) == (200, upright)
    status, _, said = ask(saved(stored, "JPEG", exif=exif, quality=95), "image/jpeg")
    assert (status, said["colour"][0]["label"]) == (200, "red")


def alpha() -> Image.Image:
    image = photo().convert("RGBA")
    image.putalpha(128)
    return image


RIGHT: dict[str, tuple[Callable[[], bytes], str]] = {
    "alpha": (lambda: saved(alpha(), "PNG"), "red"),
    "palette": (lambda: saved(photo().quantize(8), "PNG"), "red"),
    "cmyk": (lambda: saved(photo().convert("CMYK"), "JPEG", quality=95), "red"),
    "progressive": (lambda: saved(photo(), "JPEG", progressive=True, quality=95), "red"),
    "1x1": (lambda: saved(Image.new("RGB", (1, 1), BLUE), "PNG"), "blue"),
    "1x5000": (lambda: saved(Image.new("RGB", (1, 5000), GREEN), "PNG"), "green"),
    "5000x1": (lambda: saved(Image.new("RGB", (5000, 1), GREEN), "JPEG"), "green"),
    "webp": (lambda: saved(photo(), "WEBP", lossless=True), "red"),
    "gif": (lambda: saved(photo(), "GIF"), "red"),
    "bmp": (lambda: saved(photo(), "BMP"), "red"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_an_awkward_image_is_answered_right(ask: Asked, name: str) -> None:
    make, label = RIGHT[name]
    status, _, said = ask(make(), "image/*")
    assert (status, said["colour"][0]["label"]) == (200, label)


def test_grey_of_8_and_of_16_bits_is_grey(ask: Asked) -> None:
    levels = np.tile(np.arange(64, dtype=np.uint16) * 1024, (64, 1))
    _, _, eight = ask(saved(Image.fromarray((levels >> 8).astype(np.uint8)), "PNG"), "image/png")
    status, _, sixteen = ask(saved(Image.fromarray(levels), "PNG"), "image/png")
    assert (status, sixteen) == (200, eight)
    assert [entry["label"] for entry in eight["colour"]] == ["blue", "green", "red"]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int = 20_000) -> bytes:
    """A whole PNG of black and white, of 400 million pixels in 50 kB."""
    data = zlib.compress(bytes((1 + side // 8) * side))
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"".join([b"\x89PNG\r\n\x1a\n", *parts])


REFUSED: dict[str, tuple[Callable[[], bytes], str, int, str]] = {
    "truncated": (lambda: saved(photo(), "JPEG")[:-400], "image/jpeg", 422, "cut off or damaged"),
    "header alone": (lambda: saved(photo(), "PNG")[:33], "image/png", 422, "damaged"),
    "not an image": (lambda: b"<html>no photo</html>", "image/jpeg", 415, "no image"),
    "empty": (lambda: b"", "image/jpeg", 422, "empty"),
    "bomb": (bomb, "image/png", 413, "too many pixels"),
    "smaller bomb": (lambda: bomb(8_000), "image/png", 413, "8000 x 8000"),
    "tiff": (lambda: saved(photo(), "TIFF"), "image/tiff", 415, "no image"),
    "curl's own": (
        lambda: saved(photo(), "PNG"),
        "application/x-www-form-urlencoded",
        415,
        "-H 'Content-Type: image/png'",
    ),
    "a recording": (lambda: b"RIFF    WAVE", "audio/wav", 415, "takes image/"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_a_photo_is_refused_and_said(ask: Asked, name: str) -> None:
    make, kind, status, words = REFUSED[name]
    answered, _, said = ask(make(), kind)
    assert answered == status
    assert words in said["error"]
    assert ask(saved(photo(), "PNG"), "image/png")[0] == 200, "it answers the next one"


def swapped_in_the_graph(name: str, raw: bytes) -> bytes:
    if name != "before-0.onnx":
        return raw
    model = onnx.load_from_string(raw)
    (given,) = model.graph.input
    for node in model.graph.node:
        node.input[:] = ["swapped" if each == given.name else each for each in node.input]
    order = numpy_helper.from_array(np.array([2, 1, 0]), "order")
    model.graph.initializer.append(order)
    swap = helper.make_node("Gather", [given.name, "order"], ["swapped"], axis=2)
    model.graph.node.insert(0, swap)
    return model.SerializeToString()


def swapped_in_the_steps(name: str, raw: bytes) -> bytes:
    if name != "stages.json":
        return raw
    stages = json.loads(raw)
    step = {"op": "channels", "of": "image", "options": {"order": [2, 1, 0]}}
    stages["inputs"]["image"]["host"].append(step)
    return json.dumps(stages).encode()


def misnamed(name: str, raw: bytes) -> bytes:
    return raw.replace(b'"red"', b'"rot"') if name == "stages.json" else raw


def refusing(name: str, raw: bytes) -> bytes:
    if name != "stages.json":
        return raw
    stages = json.loads(raw)
    stages["inputs"]["image"]["host"][0]["options"]["max_pixels"] = 1
    return json.dumps(stages).encode()


def spoilt(bundle: Bundle, folder: Path, change: Callable[[str, bytes], bytes]) -> Bundle:
    """The same bundle with other files in its zip, sealed anew."""
    shutil.copytree(bundle.path, folder)
    with zipfile.ZipFile(folder / "function.zip", "a") as archive:
        for name in ("before-0.onnx", "stages.json"):
            info, raw = archive.getinfo(name), archive.read(name)
            # Out of the directory, and written again at the end: the packages stay as they are.
            archive.filelist.remove(info)
            del archive.NameToInfo[name]
            other = zipfile.ZipInfo(name)
            other.external_attr = info.external_attr
            archive.writestr(other, change(name, raw))
    roles = {name: file.role for name, file in bundle.manifest.files.items()}
    return bundles.seal(folder, bundle.manifest, roles)


@pytest.mark.parametrize("fault", [swapped_in_the_graph, swapped_in_the_steps])
def test_swapped_channels_fail_from_bytes_and_not_from_tensors(
    corner: Outcome, tmp_path: Path, fault: Callable[[str, bytes], bytes]
) -> None:
    rows = verify(spoilt(corner.bundle, tmp_path / "out", fault), LambdaRunner(Workspace()))
    assert {row.golden: row.verdict for row in rows} == {
        TENSORS: Verdict.PASS,
        BYTES: Verdict.FAIL,
    }


@pytest.mark.parametrize(
    ("fault", "said"), [(misnamed, "class 0 is called 'rot'"), (refusing, "HTTP 413")]
)
def test_a_wrong_label_and_a_refused_photo_fail(
    corner: Outcome, tmp_path: Path, fault: Callable[[str, bytes], bytes], said: str
) -> None:
    rows = verify(spoilt(corner.bundle, tmp_path / "out", fault), LambdaRunner(Workspace()))
    (row,) = (row for row in rows if row.golden == BYTES)
    assert row.verdict is Verdict.FAIL
    assert said in row.reason


def summing(path: Path, inputs: Mapping[str, list[int | str]], weights: np.ndarray) -> Path:
    """An ONNX model: all inputs beside each other, times weights."""
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()]
    nodes = [
        helper.make_node("Concat", list(inputs), ["all"], axis=1),
        helper.make_node("MatMul", ["all", "weights"], ["sums"]),
    ]
    batch = next(iter(inputs.values()))[0]
    given = helper.make_tensor_value_info("sums", TensorProto.FLOAT, [batch, weights.shape[1]])
    constant = numpy_helper.from_array(weights.astype(np.float32), "weights")
    graph = helper.make_graph(nodes, "sums", infos, [given], [constant])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, path)
    return path


OLDER = """
import numpy as np

def older(rows):
    return rows + np.array([1, 0, 0], rows.dtype)
"""


def test_a_table_is_answered_from_csv_and_from_json(tmp_path: Path) -> None:
    path = summing(tmp_path / "rows.onnx", {"rows": ["n", 3]}, np.eye(3))
    spec = SourceSpec(str(path), tmp_path, axes=(DynamicAxis("n", 1, 8),), batch="n")
    (tmp_path / "older.py").write_text(OLDER)
    own = Own.model_validate({"python": "older.py:older", "lambda": "older.py:older"})
    kinds = {"kind": ("cat", "dog")}
    table = TableBefore(type="table", columns=("age", "kind"), categories=kinds, own=(own,))
    outcome = built(spec, tmp_path / "out", {"rows": table}, {}, flavor="lean")
    assert outcome.verdict is Verdict.PASS, [row.reason for row in outcome.report.rows]
    with started(outcome.bundle, Workspace()) as function:
        ask = Asked(function)
        expected = {"sums": [[4, 0, 1], [5.5, 1, 0]]}
        assert ask(b"kind,age\ndog,3\ncat,4.5\n", "text/csv; charset=utf-8")[::2] == (200, expected)
        rows = [{"age": 3, "kind": "dog"}, {"age": 4.5, "kind": "cat"}]
        assert ask(json.dumps(rows).encode(), "application/json")[::2] == (200, expected)
        named = json.dumps({"inputs": {"rows": rows}}).encode()
        assert ask(named, "application/json")[::2] == (200, expected)
        status, _, said = ask(b"kind,age\nbird,3\n", "text/csv")
        assert (status, "bird" in said["error"]) == (422, True)
        status, _, said = ask(b"age,kind\n" + b"1,cat\n" * 9, "text/csv")
        assert status == 422
        assert "axis 'n' must be 1 to 8, not 9" in said["error"]


def test_a_recording_and_a_tensor_go_together(tmp_path: Path) -> None:
    path = summing(
        tmp_path / "two.onnx", {"sound": [1, 8], "gain": [1, 1]}, np.arange(18).reshape(9, 2)
    )
    spec = SourceSpec(str(path), tmp_path)
    sound = AudioBefore(
        type="audio",
        rate=8000,
        resample="sinc_hann",
        length=Length(samples=8, pad="end", trim="end"),
        layout=("batch", "samples"),
    )
    outcome = built(spec, tmp_path / "out", {"sound": sound}, {}, flavor="lean")
    assert outcome.verdict is Verdict.PASS, [row.reason for row in outcome.report.rows]
    assert {row.golden for row in outcome.report.rows} == {TENSORS, BYTES}
