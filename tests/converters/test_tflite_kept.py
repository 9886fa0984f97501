"""What decides the bytes of a .tflite is in the key that it is kept under."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from deploy_targets.converters import tflite, tflite_kept
from deploy_targets.converters.tflite import Order
from deploy_targets.integrations import beside
from deploy_targets.records import Dialect, Graph, Signature, TensorSpec

ONE = Signature((TensorSpec("x", "float32", (2,)),), (TensorSpec("y", "float32", (2,)),))


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Order:
    """Of a graph, with the code and the locks where they may be changed."""
    shutil.copytree(tflite_kept.CODE, tmp_path / "code")
    shutil.copytree(beside.LOCKS, tmp_path / "locks")
    monkeypatch.setattr(tflite_kept, "CODE", tmp_path / "code")
    monkeypatch.setattr(beside, "LOCKS", tmp_path / "locks")
    (tmp_path / "graph").mkdir()
    (tmp_path / "graph" / "model.pt2").write_bytes(b"a graph")
    graph = Graph(Dialect.EXPORTED, tmp_path / "graph", "0" * 64, "torch.export")
    return Order(graph, ONE, tflite.fixed(ONE))


def key(order: Order, converter: str = "litert-torch") -> str:
    return tflite_kept.key(converter, "litert_torch", order)


def append(*path: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with folder.joinpath(*path).open("a") as file:
            file.write("# more\n")

    return change


@pytest.mark.parametrize(
    "change",
    [
        append("graph", "model.pt2"),
        append("code", "tflite_from_torch.py"),
        append("code", "by_onnx2tf", "one_file.py"),
        append("locks", "litert_torch.txt"),
    ],
)
def test_what_changes_the_bytes_changes_the_key(
    order: Order, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    before = key(order)
    assert key(order) == before
    change(tmp_path)
    assert key(order) != before


def test_another_order_or_converter_has_another_key(order: Order) -> None:
    others = {key(order), key(order, "onnx2tf"), key(replace(order, half=True))}
    assert len(others) == 3


def test_the_folder_and_the_model_s_own_digest_are_no_part_of_it(
    order: Order, tmp_path: Path
) -> None:
    shutil.copytree(tmp_path / "graph", tmp_path / "elsewhere")
    moved = replace(order.graph, folder=tmp_path / "elsewhere", digest="1" * 64)
    assert key(replace(order, graph=moved)) == key(order)
