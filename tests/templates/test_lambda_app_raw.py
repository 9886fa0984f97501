"""/predict with raw bodies: by Content-Type or by name; in words, as a picture, or refused."""

from __future__ import annotations

import base64
import gzip
import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from deploy_targets.records import DynamicAxis, Signature, TensorSpec
from deploy_targets.stages import tables
from deploy_targets.stages.base import After, Before
from deploy_targets.stages.boxes import BoxesAfter
from deploy_targets.stages.image import ImageBefore, Resize
from deploy_targets.stages.mask import MaskAfter
from deploy_targets.stages.rows import TableBefore
from deploy_targets.stages.text import TextAfter
from deploy_targets.targets.aws_lambda import around, contract

from .conftest import FLAVORS, Function, Zoo, assemble, load

IMAGE = TensorSpec("image", "float32", ("batch", 3, 8, 8))
GAIN = TensorSpec("gain", "float32", ("batch", 1))
PIXELS = TensorSpec("pixels", "float32", ("batch", 3, 8, 8))
ROWS = TensorSpec("rows", "float32", ("n", 2))
BATCH = (DynamicAxis("batch", 1, 4),)


def artifact(
    name: str,
    nodes: list[onnx.NodeProto],
    model: Signature,
    before: dict[str, Before],
    after: dict[str, After],
    flavor: str,
    folder: Path,
) -> Function:
    """The function of a model with steps around it."""

    def stated(specs: tuple[TensorSpec, ...]) -> dict[str, Any]:
        return {spec.name: (contract.DATATYPES[spec.dtype], list(spec.shape)) for spec in specs}

    axes = {axis.name: [axis.minimum, axis.maximum] for axis in model.axes}
    zoo = Zoo(name, nodes, stated(model.inputs), stated(model.outputs), axes, {})
    plan = around.planned(tables.staging(model, before, after, folder))
    return load(assemble(zoo, flavor, folder / "task", lambda app: around.write(plan, model, app)))


@pytest.fixture(scope="module", params=FLAVORS)
def drawn(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Function:
    """A mask of the strongest colour of each pixel, from a photo and a number."""
    nodes = [
        helper.make_node("Unsqueeze", ["gain", "axes"], ["factor"]),
        helper.make_node("Mul", ["image", "factor"], ["pixels"]),
    ]
    axes = helper.make_node(
        "Constant", [], ["axes"], value=helper.make_tensor("a", TensorProto.INT64, [2], [2, 3])
    )
    model = Signature((IMAGE, GAIN), (PIXELS,), BATCH, "batch")
    before = ImageBefore(type="image", resize=Resize(to=(8, 8)), scale=1 / 255, layout="nchw")
    after = MaskAfter(
        labels=("red", "green", "blue"),
        palette=((255, 0, 0), (0, 255, 0), (0, 0, 255)),
        input="image",
    )
    home = tmp_path_factory.mktemp(f"drawn-{request.param}")
    steps = {"image": before}, {"pixels": after}
    return artifact("drawn", [axes, *nodes], model, *steps, request.param, home)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Function:
    """The rows themselves."""
    nodes = [helper.make_node("Identity", ["rows"], ["same"])]
    same = TensorSpec("same", "float32", ("n", 2))
    model = Signature((ROWS,), (same,), (DynamicAxis("n", 1, 8),), "n")
    before = TableBefore(type="table", columns=("a", "b"))
    home = tmp_path_factory.mktemp("table")
    return artifact("table", nodes, model, {"rows": before}, {}, "lean", home)


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Function:
    """Steps behind the model, and none before it."""
    nodes = [helper.make_node("Identity", ["image"], ["pixels"])]
    model = Signature((IMAGE,), (PIXELS,), BATCH, "batch")
    after = {"pixels": MaskAfter(labels=("red", "green", "blue"))}
    home = tmp_path_factory.mktemp("words")
    return artifact("words", nodes, model, {}, after, "lean", home)


def photo(colour: tuple[int, int, int] = (0, 0, 255)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (24, 16), colour).save(file, "PNG")
    return file.getvalue()


def text_of(file: bytes) -> str:
    return base64.b64encode(file).decode()


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


JSON = {"content-type": "application/json"}


def named(**changes: Any) -> dict[str, Any]:
    return {"inputs": {"image": {"base64": text_of(photo())}, "gain": [[2.0]], **changes}}


def test_a_photo_and_a_number_go_together_in_json(drawn: Function) -> None:
    answer = drawn("POST", "/predict", named(), JSON)
    assert answer.status == 200, answer.error
    mask = answer.json()["pixels"]
    assert mask["size"] == [16, 24]
    assert mask["classes"] == [{"label": "blue", "index": 2, "share": 1.0}]
    exact = named(gain={"base64": text_of(npy(np.full((1, 1), 2, np.float32)))})
    assert drawn("POST", "/predict", exact, JSON).json() == answer.json()


def test_a_mask_is_a_picture_where_one_is_asked_for(drawn: Function) -> None:
    answer = drawn("POST", "/predict", named(), {**JSON, "accept": "image/png, */*;q=0.5"})
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    with Image.open(io.BytesIO(answer.body)) as image:
        assert image.size == (24, 16)
        assert image.convert("RGB").getpixel((5, 5)) == (0, 0, 255)
    refused = drawn("POST", "/predict", named(), {**JSON, "accept": "text/html"})
    assert (refused.status, "image/png" in refused.error) == (406, True)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"inputs": {"image": {"base64": "AAAA"}}}, 422, ["missing input: gain"]),
        (named(more=1), 422, ["no input is named", "more"]),
        (named(image={"base64": "no base64"}), 422, ["'image'", "is not base64"]),
        (named(image={"base64": 7}), 422, ["'image'", "is not base64"]),
        (named(image=[1, 2]), 422, ["'image'", '{"base64": "..."}']),
        (named(image={"base64": text_of(b"text")}), 415, ["'image'", "no image"]),
        (named(gain=[[1.0], [1.0]]), 422, ["'batch'", "must be the same"]),
        (named(gain=[[True]]), 422, ["'gain'", "FP32"]),
        (named(gain=3), 422, ["'gain'", "2 axes"]),
        (named(gain=[["NaN"], [1.0, 2.0]]), 422, ["'gain'", "nested"]),
        (named(gain={"base64": text_of(b"text")}), 422, ["'gain'", ".npy"]),
        ([1], 415, ["/predict takes", '"image"', '"gain"']),
        (b"{", 415, ["/predict takes"]),
        (b'{"inputs": {"image": NaN, "gain": [[1]]}}', 422, ["NaN is not JSON"]),
        (b"", 422, ["empty"]),
    ],
)
def test_what_is_wrong_with_an_input_is_said(
    drawn: Function, body: Any, status: int, said: list[str]
) -> None:
    answer = drawn("POST", "/predict", body, JSON)
    assert answer.status == status, answer.body
    assert [word for word in said if word not in answer.error] == []


def test_one_file_cannot_stand_for_two_inputs(drawn: Function) -> None:
    answer = drawn("POST", "/predict", photo(), {"content-type": "image/png"})
    assert (answer.status, '"gain"' in answer.error) == (415, True)


def test_tensors_are_asked_as_before(drawn: Function) -> None:
    file = io.BytesIO()
    np.savez(file, image=np.ones((2, 3, 8, 8), np.float32), gain=np.ones((2, 1), np.float32))
    answer = drawn("POST", "/predict", file.getvalue(), {"content-type": "application/x-npz"})
    assert np.array_equal(np.load(io.BytesIO(answer.body)), np.ones((2, 3, 8, 8)))
    refused = drawn("POST", "/predict", file.getvalue(), {"accept": "application/json"})
    assert (refused.status, "about the raw image" in refused.error) == (406, True)


def test_a_table_comes_as_csv_or_json_compressed_or_not(table: Function) -> None:
    expected = {"same": [[1.5, 2.0], [3.0, 4.0]]}
    csv, rows = b"a,b\n1.5,2\n3,4\n", [{"a": 1.5, "b": 2}, {"a": 3, "b": 4}]
    as_csv = {"content-type": "text/csv; charset=utf-8"}
    for body, headers in [
        (csv, as_csv),
        (gzip.compress(csv), {**as_csv, "content-encoding": "gzip"}),
        (rows, JSON),
        ({"inputs": {"rows": rows}}, JSON),
        ({"inputs": {"rows": {"base64": text_of(csv)}}}, JSON),
    ]:
        answer = table("POST", "/predict", body, headers)
        assert (answer.status, answer.json()) == (200, expected)
    cut = table("POST", "/predict", gzip.compress(csv)[:-9], {**as_csv, "content-encoding": "gzip"})
    assert (cut.status, "cut short" in cut.error) == (422, True)


def test_curl_is_told_the_header_that_it_lacks(table: Function) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = table("POST", "/predict", b"a,b\n1,2\n", form)
    assert answer.status == 415
    assert answer.error.endswith("With curl: -H 'Content-Type: text/csv'")


def test_a_table_of_too_many_rows_is_refused_by_its_axis(table: Function) -> None:
    answer = table("POST", "/predict", b"a,b\n" + b"1,2\n" * 9, {"content-type": "text/csv"})
    assert (answer.status, "axis 'n' must be 1 to 8, not 9" in answer.error) == (422, True)


def test_tensors_are_answered_in_words_where_json_is_asked_for(words: Function) -> None:
    body, colours = npy(np.ones((1, 3, 8, 8), np.float32)), {"accept": "application/json"}
    answer = words("POST", "/predict", body, colours)
    assert answer.json()["pixels"]["classes"] == [{"label": "red", "index": 0, "share": 1.0}]
    assert words("POST", "/predict", body).headers["content-type"] == "application/x-npy"


def test_metadata_and_openapi_tell_what_predict_takes(drawn: Function, table: Function) -> None:
    about = drawn("GET", "/v2/models/drawn").json()["parameters"]["predict"]
    assert about["takes"]["image"][-1] == "image/*"
    assert about["gives"] == ["application/json", "image/png"]
    predict = drawn("GET", "/openapi.json").json()["paths"]["/predict"]["post"]
    asked = predict["requestBody"]["content"]["application/json"]["schema"]["properties"]
    assert asked["inputs"]["required"] == ["image", "gain"]
    given = predict["responses"]["200"]["content"]
    assert "png" in given["application/json"]["schema"]["properties"]["pixels"]["required"]
    assert {"image/png", "application/x-npz"} <= set(given)
    assert "415" in predict["responses"]
    rows = table("GET", "/openapi.json").json()["paths"]["/predict"]["post"]
    assert {"text/csv", "application/json"} <= set(rows["requestBody"]["content"])


def test_damaged_steps_stop_the_function_at_start_in_one_line(
    drawn: Function, tmp_path: Path
) -> None:
    for name, raw, said in [
        ("stages.json", json.dumps({"inputs": []}).encode(), "stages.json is not as the build"),
        ("before-0.onnx", b"no graph", "before-0.onnx cannot be loaded"),
    ]:
        folder = tmp_path / name.split(".")[0]
        shutil.copytree(drawn.folder, folder)
        (folder / name).write_bytes(raw)
        with pytest.raises(ImportError, match=said):
            load(folder)


TWICE = [
    (b'{"inputs":{"rows":[{"a":1,"a":2,"b":1}]}}', '"a"'),
    (b'{"inputs":{"rows":[{"a":1,"b":1}],"rows":[{"a":2,"b":1}]}}', '"rows"'),
    (b'{"inputs":{"rows":[]},"inputs":{"rows":[{"a":2,"b":1}]}}', '"inputs"'),
    (b'[{"a":1,"a":2,"b":1}]', ""),
]


@pytest.mark.parametrize(("body", "key"), TWICE)
def test_a_key_that_comes_twice_is_refused(table: Function, body: bytes, key: str) -> None:
    answer = table("POST", "/predict", body, JSON)
    assert (answer.status, key in answer.error, "twice" in answer.error) == (422, True, True)


ALONE: dict[str, tuple[After, tuple[int | str, ...], tuple[int, ...], tuple[int, ...]]] = {
    "boxes": (BoxesAfter(format="xyxy", layout="rows"), ("batch", 3, 6), (1, 3, 6), (2, 3, 6)),
    "text": (TextAfter(), ("batch", 5, 4), (1, 5, 4), (2, 5, 4)),
    "text of time first": (TextAfter(time=0), (5, "batch", 4), (5, 1, 4), (5, 2, 4)),
}


@pytest.mark.parametrize("kind", ALONE)
def test_what_is_of_one_item_refuses_a_batch_and_says_so(kind: str, tmp_path: Path) -> None:
    after, axes, one, two = ALONE[kind]
    model = Signature(
        (TensorSpec("x", "float32", axes),), (TensorSpec("y", "float32", axes),), BATCH, "batch"
    )
    nodes = [helper.make_node("Identity", ["x"], ["y"])]
    serve = artifact("alone", nodes, model, {}, {"y": after}, "lean", tmp_path)
    words = {"accept": "application/json"}
    assert serve("POST", "/predict", npy(np.zeros(one, np.float32)), words).status == 200
    several = np.zeros(two, np.float32)
    for body, headers in [
        (npy(several), words),
        ({"inputs": {"x": several.tolist()}}, JSON),
    ]:
        refused = serve("POST", "/predict", body, headers)
        assert (refused.status, "one item a request" in refused.error) == (422, True)
    assert serve("POST", "/predict", npy(several)).status == 200, "tensors for tensors, as before"


def test_boxes_with_scores_beside_them_refuse_a_batch(tmp_path: Path) -> None:
    axes = {"corners": ("batch", 3, 4), "marks": ("batch", 3, 2)}
    specs = [TensorSpec(name, "float32", shape) for name, shape in axes.items()]
    ins = tuple(TensorSpec(f"{spec.name}_in", "float32", spec.shape) for spec in specs)
    nodes = [helper.make_node("Identity", [f"{name}_in"], [name]) for name in axes]
    model = Signature(ins, tuple(specs), BATCH, "batch")
    after: dict[str, After] = {"corners": BoxesAfter(format="xyxy", scores="marks")}
    serve = artifact("beside", nodes, model, {}, after, "lean", tmp_path)
    for items, status in [(1, 200), (2, 422)]:
        given = {
            f"{name}_in": np.zeros((items, *shape[1:])).tolist() for name, shape in axes.items()
        }
        answer = serve("POST", "/predict", {"inputs": given}, JSON)
        assert answer.status == status, answer.body
