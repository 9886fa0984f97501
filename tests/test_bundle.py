"""Sealing and opening, and what a verdict is worth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deploy_targets import bundle as bundles
from deploy_targets.binding import identity
from deploy_targets.errors import BundleCorrupt, ConfigError
from deploy_targets.records import (
    Bundle,
    Call,
    Check,
    Lane,
    Manifest,
    Recipe,
    Signature,
    TensorSpec,
)
from deploy_targets.verdicts import Bound, OutputParity, ParityReport, Row, Verdict

SIGNATURE = Signature((TensorSpec("x", "float32", (2,)),), (TensorSpec("y", "float32", (2,)),))


def manifest() -> Manifest:
    return Manifest(
        schema=bundles.SCHEMA,
        name="tiny",
        source="0" * 64,
        capture="onnx as given",
        target="nowhere",
        options={},
        recipes={"fp32": Recipe("fp32", keep=frozenset("cab"))},
        signatures={"tensors": SIGNATURE},
        entries=(identity(SIGNATURE),),
        lanes=(Lane("here", "fp32"),),
        synthetic=True,
        bounds={"fp32": {"tensors": {"y": Bound(1e-6, 8.0, 12.0, 24.0)}}},
        bounds_from=(),
        uncovered=(),
        tools={},
    )


def check() -> Check:
    x = np.array([1, 2], np.float32)
    return Check("tensors", Call("case/0", "main", {"x": x}), {"y": x * 2}, {"y": x * 1e-7})


@pytest.fixture
def sealed(tmp_path: Path) -> Bundle:
    folder = tmp_path / "bundle"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "model.bin").write_bytes(b"weights")
    bundles.write_golden(folder, [check()])
    return bundles.seal(folder, manifest(), {"deep/model.bin": "model"})


def test_what_was_sealed_is_what_is_opened(sealed: Bundle) -> None:
    opened = bundles.open_bundle(sealed.path)
    assert opened.manifest == sealed.manifest
    assert opened.manifest.files["deep/model.bin"].role == "model"
    (read,) = bundles.read_golden(opened)
    assert (read.golden, read.call.name, read.call.entry) == ("tensors", "case/0", "main")
    np.testing.assert_array_equal(read.expected["y"], [2, 4])
    np.testing.assert_array_equal(read.noise["y"], check().noise["y"])


def test_sealing_twice_gives_the_same_bytes(sealed: Bundle) -> None:
    first = bundles.digest(sealed)
    bundles.seal(sealed.path, manifest(), {"deep/model.bin": "model"})
    assert bundles.digest(sealed) == first


@pytest.mark.parametrize("name", ["deep/model.bin", "golden.safetensors"])
def test_one_changed_byte_is_refused(sealed: Bundle, name: str) -> None:
    path = sealed.path / name
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(BundleCorrupt, match=name):
        bundles.open_bundle(sealed.path)


def test_a_missing_and_an_added_file_are_refused(sealed: Bundle) -> None:
    (sealed.path / "new.txt").write_text("hello")
    with pytest.raises(BundleCorrupt, match=r"new\.txt .* was added"):
        bundles.open_bundle(sealed.path)
    (sealed.path / "new.txt").unlink()
    (sealed.path / "deep" / "model.bin").unlink()
    with pytest.raises(BundleCorrupt, match=r"model\.bin is missing"):
        bundles.open_bundle(sealed.path)


def test_a_folder_that_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleCorrupt, match="is no bundle"):
        bundles.open_bundle(tmp_path)
    with pytest.raises(ConfigError, match="is not a folder"):
        bundles.open_bundle(tmp_path / "absent")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 1}', "{"])
def test_a_manifest_that_cannot_be_read_is_refused(sealed: Bundle, text: str) -> None:
    (sealed.path / bundles.MANIFEST).write_text(text)
    with pytest.raises(BundleCorrupt):
        bundles.open_bundle(sealed.path)


def test_a_manifest_of_another_schema_says_so(sealed: Bundle) -> None:
    plain = json.loads((sealed.path / bundles.MANIFEST).read_text()) | {"schema": 99}
    (sealed.path / bundles.MANIFEST).write_text(json.dumps(plain))
    with pytest.raises(BundleCorrupt, match="schema 99"):
        bundles.open_bundle(sealed.path)


def test_a_verdict_on_other_bytes_is_none(sealed: Bundle) -> None:
    parity = (OutputParity("case/0", "y", float("nan"), float("inf"), 1.0),)
    row = Row("here", "tensors", Verdict.FAIL, "this machine", "NaN", parity)
    report = ParityReport(bundles.digest(sealed), (row,))
    bundles.write_report(sealed, report)
    read = bundles.read_report(sealed)
    assert read is not None
    assert np.isnan(read.rows[0].parity[0].max_abs)
    assert read.rows[0].parity[0].relative_l2 == float("inf")
    bundles.write_report(sealed, ParityReport("f" * 64, (row,)))
    assert bundles.read_report(sealed) is None


def test_tensors_that_are_not_contiguous_survive(tmp_path: Path) -> None:
    odd = np.arange(24, dtype=np.float32).reshape(2, 3, 4).transpose(2, 0, 1)
    bundles.write_tensors(tmp_path / "t", {"odd": odd, "scalar": np.array(3.0)})
    read = bundles.read_tensors(tmp_path / "t")
    np.testing.assert_array_equal(read["odd"], odd)
    assert read["scalar"].shape == ()


def test_a_truncated_tensor_file_is_refused(tmp_path: Path) -> None:
    bundles.write_tensors(tmp_path / "t", {"x": np.zeros(100)})
    (tmp_path / "t").write_bytes((tmp_path / "t").read_bytes()[:-8])
    with pytest.raises(BundleCorrupt, match="t cannot be read"):
        bundles.read_tensors(tmp_path / "t")


def test_any_changed_byte_of_the_manifest_is_refused(sealed: Bundle) -> None:
    path = sealed.path / bundles.MANIFEST
    text = path.read_bytes()
    for changed in (
        text.replace(b"1e-06", b"1e+06"),
        text.replace(b'"tiny"', b'"tine"'),
        text + b" ",
        text.replace(b'"seal": "', b'"seal": "0'),
    ):
        assert changed != text
        path.write_bytes(changed)
        with pytest.raises(BundleCorrupt, match="its bytes have changed"):
            bundles.open_bundle(sealed.path)


def test_tensors_of_another_byte_order_survive(tmp_path: Path) -> None:
    big = np.arange(4, dtype=">f4")
    bundles.write_tensors(tmp_path / "t", {"big": big})
    np.testing.assert_array_equal(bundles.read_tensors(tmp_path / "t")["big"], big)
