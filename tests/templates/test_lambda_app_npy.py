"""POST /predict: NumPy's own files, in and out."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from typing import Any

import numpy as np
import pytest

ROW = np.array([1.5, np.nan, -np.inf], np.float32)


def npy(array: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def three(**changes: Any) -> dict[str, Any]:
    good = {
        "image": np.full((2, 3), 0.5, np.float32),
        "ids": np.full(2, 3),
        "flag": np.ones(2, np.bool_),
    }
    return {**good, **changes}


def header(text: str, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


def test_one_array_comes_back_as_npy_bit_for_bit(single: Any) -> None:
    answer = single("POST", "/predict", npy(ROW))
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/x-npy"
    assert answer.body == npy(ROW)


def test_several_arrays_go_and_come_as_npz(mixed: Any) -> None:
    answer = mixed("POST", "/predict", npz(**three()))
    assert answer.headers["content-type"] == "application/x-npz"
    arrays = np.load(io.BytesIO(answer.body))
    assert sorted(arrays) == ["score", "seen"]
    assert arrays["score"].tolist() == [[1.5] * 3] * 2
    assert arrays["seen"].dtype == np.int64


def test_accept_chooses_between_npy_and_npz(single: Any) -> None:
    answer = single("POST", "/predict", npz(x=ROW), {"Accept": "text/html, application/x-npz"})
    np.testing.assert_array_equal(np.load(io.BytesIO(answer.body))["y"], ROW)
    assert single("POST", "/predict", npy(ROW), {"Accept": "text/html"}).status == 406


def test_several_outputs_cannot_be_one_npy(mixed: Any) -> None:
    answer = mixed("POST", "/predict", npz(**three()), {"Accept": "application/x-npy"})
    assert answer.status == 406
    assert "application/x-npz" in answer.error


def test_the_order_of_memory_and_of_bytes_does_not_matter(mixed: Any) -> None:
    image = np.arange(6, dtype=np.float32).reshape(2, 3)
    expected = mixed("POST", "/predict", npz(**three(image=image))).body
    for same in (np.asfortranarray(image), image.astype(">f4")):
        assert mixed("POST", "/predict", npz(**three(image=same))).body == expected


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"image": np.zeros((2, 3))}, ["image", "FP32 (float32)", "FP64 (float64)"]),
        ({"ids": np.zeros(2, np.int32)}, ["ids", "INT64", "INT32"]),
        ({"image": np.zeros((2, 4), np.float32)}, ["image", "[batch, 3]", "[2, 4]"]),
        ({"image": np.zeros(6, np.float32)}, ["image", "2 axes"]),
        ({"ids": np.zeros(3, np.int64)}, ["batch", "image", "ids"]),
        ({"extra": np.zeros(3)}, ["extra", "image"]),
        ({"image": np.array(["a", "b"])}, ["image", "FP32"]),
    ],
)
def test_a_wrong_array_is_refused_by_name(
    mixed: Any, changes: dict[str, Any], said: list[str]
) -> None:
    answer = mixed("POST", "/predict", npz(**three(**changes)))
    assert answer.status == 422
    assert [word for word in said if word not in answer.error] == []


def test_a_missing_array_is_named(mixed: Any) -> None:
    answer = mixed("POST", "/predict", npz(ids=np.zeros(2, np.int64)))
    assert answer.status == 422
    assert "missing inputs: flag, image" in answer.error


def test_one_npy_for_three_inputs_is_told_to_be_an_npz(mixed: Any) -> None:
    answer = mixed("POST", "/predict", npy(ROW))
    assert answer.status == 422
    assert ".npz" in answer.error
    assert "image, ids, flag" in answer.error


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"inputs": []}',
        npy(ROW)[:20],
        npy(ROW)[:-1],
        npy(ROW) + b"x",
        npz(x=ROW)[:-5],
        npy(np.array([{}, {}], dtype=object)),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999,), }\n"),
        header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }\n"),
        header("__import__('os').abort()\n"),
        b"\x93NUMPY\x09\x00" + bytes(50),
    ],
)
def test_a_damaged_file_is_refused_whatever_it_claims(single: Any, body: bytes) -> None:
    answer = single("POST", "/predict", body)
    assert answer.status == 422
    assert not any(leak in answer.error for leak in ("Traceback", "File ", "site-packages"))


def test_an_npz_with_a_name_twice_is_refused(single: Any) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", npy(ROW))
        archive.writestr("x", npy(ROW))
    answer = single("POST", "/predict", file.getvalue())
    assert answer.status == 422
    assert "twice" in answer.error


def test_a_zip_bomb_is_not_unpacked(single: Any) -> None:
    answer = single("POST", "/predict", npz(x=np.zeros(20_000_000, np.float32)))
    assert answer.status == 413
    assert "67,108,864" in answer.error


def test_the_answer_says_where_the_time_went(single: Any) -> None:
    spans = single("POST", "/predict", npy(ROW)).headers["server-timing"].split(", ")
    assert [span.split(";dur=")[0] for span in spans] == ["decode", "run", "encode"]
    assert all(float(span.split("=")[1]) >= 0 for span in spans)


def test_json_sent_to_predict_is_told_what_it_takes(single: Any) -> None:
    answer = single("POST", "/predict", json.dumps({"x": 1}).encode())
    assert "neither .npy nor .npz" in answer.error
