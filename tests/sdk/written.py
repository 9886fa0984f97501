"""Bundles written by hand around a small .onnx file: no target, no framework.

A photo in, the best classes out: logits = x @ W + B over the pixels, and how many are above zero.
numpy and the steps in Python are the original, and say what is expected.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
from PIL import Image

from deploy_targets import bundle as bundles
from deploy_targets.binding import encode, identity
from deploy_targets.parity import rows
from deploy_targets.quantize.recipes import RECIPES
from deploy_targets.records import (
    BYTES,
    TENSORS,
    Array,
    Bundle,
    Case,
    DynamicAxis,
    Golden,
    Lane,
    Manifest,
    OutputNoise,
    Signature,
    TensorSpec,
)
from deploy_targets.stages import host

SIDE, CLASSES, BEST = 8, 5, 2
SIGNATURE = Signature(
    (TensorSpec("image", "float32", ("batch", 3, SIDE, SIDE)),),
    (
        TensorSpec("logits", "float32", ("batch", CLASSES), kind="classifier"),
        TensorSpec("above", "int64", ("batch",)),
    ),
    (DynamicAxis("batch", 1, 16),),
    "batch",
)
FROM_BYTES = Signature(
    (TensorSpec("image", "uint8", ("image_bytes",)),),
    (
        TensorSpec("logits.scores", "float32", ("batch", BEST)),
        TensorSpec("logits.indices", "int64", ("batch", BEST)),
        TensorSpec("above", "int64", ("batch",)),
    ),
    (DynamicAxis("batch", 1, 1), DynamicAxis("image_bytes", 1, 1 << 20)),
    None,
)
DECODE = {
    "mode": "rgb", "orientation": "exif", "alpha": "drop", "max_pixels": 10_000, "max_ratio": None,
}  # fmt: skip
RESIZE = {
    "to": [SIDE, SIDE], "shorter": None, "longer": None,
    "interpolation": "bilinear", "antialias": "pil", "passes": "13",
}  # fmt: skip
SCALE = {"by": 1.0, "mean": [127.0], "std": [128.0], "dtype": "float32"}
BEFORE: list[dict[str, Any]] = [
    {"op": "decode_image", "options": DECODE},
    {"op": "resize", "options": RESIZE},
    {"op": "scale", "options": SCALE},
    {"op": "layout", "options": {"order": "nchw"}},
]
LABELS = ["ash", "beech", "cedar", "date", "élm"]
SAYS = {"says": "classes", "labels": LABELS, "zeros": True, "space": None}
AFTER: list[dict[str, Any]] = [
    {"op": "softmax", "of": "logits", "options": {"axis": -1}},
    {"op": "top_k", "of": "logits", "options": {"k": BEST}},
    {"op": "label", "of": "logits", "options": SAYS},
]
LANES = (Lane("cpu", "fp32"), Lane("device", "fp32", required=False))


def weights() -> tuple[Array, Array]:
    """W and B, always the same."""
    draw = np.random.default_rng(0).normal
    return draw(size=(3 * SIDE * SIDE, CLASSES)).astype(np.float32), draw(size=CLASSES).astype("f4")


def original(image: Array) -> dict[str, Array]:
    """What the file is to answer."""
    matrix, bias = weights()
    logits = image.reshape(len(image), -1).astype(np.float64) @ matrix + bias
    return {"logits": logits.astype(np.float32), "above": (logits > 0).sum(1).astype(np.int64)}


def model(file: Path, moved: float = 0.0) -> None:
    """Writes the file; `moved` is added to one weight."""
    matrix, bias = weights()
    matrix[0, 0] += moved
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("Gemm", ["flat", "matrix", "bias"], ["logits"]),
        helper.make_node("Greater", ["logits", "zero"], ["positive"]),
        helper.make_node("Cast", ["positive"], ["ones"], to=TensorProto.INT64),
        helper.make_node("ReduceSum", ["ones", "last"], ["above"], keepdims=0),
    ]
    held = {"matrix": matrix, "bias": bias, "zero": np.float32(0), "last": np.array([1])}
    graph = helper.make_graph(
        nodes,
        "written",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", CLASSES]),
            helper.make_tensor_value_info("above", TensorProto.INT64, ["batch"]),
        ],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in held.items()],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), file)


def photos() -> dict[str, bytes]:
    """Files of several kinds."""
    draw = np.random.default_rng(1)
    found = {}
    for kind in ("jpeg", "png", "gif", "bmp"):
        levels = draw.integers(0, 256, (13, 21, 3)).astype(np.uint8)
        into = io.BytesIO()
        Image.fromarray(levels).resize((42, 26)).save(into, kind)
        found[kind] = into.getvalue()
    return found


def bundle(folder: Path, *, moved: float = 0.0, raw: bool = True) -> Bundle:
    """A sealed folder; with `moved`, one whose file answers something else."""
    folder.mkdir()
    model(folder / "model.onnx", moved)
    goldens = {TENSORS: _golden(TENSORS, SIGNATURE, [_tensors(size) for size in (1, 2, 5)])}
    if raw:
        (folder / "steps.json").write_text(json.dumps(_steps(), ensure_ascii=False))
        asked = [_photo(kind, data) for kind, data in photos().items()]
        goldens[BYTES] = _golden(BYTES, FROM_BYTES, asked)
    entries = (
        identity(SIGNATURE, "infer"),
        replace(identity(FROM_BYTES, "predict"), golden=BYTES),
    )[: len(goldens)]
    checks = [
        check
        for entry, (name, golden) in zip(entries, goldens.items(), strict=True)
        for case in golden.cases
        for check in encode(golden.signature, [entry], case, name)
    ]
    bundles.write_golden(folder, checks)
    recipe = RECIPES["fp32"]
    manifest = Manifest(
        schema=bundles.SCHEMA,
        name="written",
        source="0" * 64,
        capture="exported by torch.export",
        target="written",
        options={},
        recipes={recipe.name: recipe},
        signatures={name: golden.signature for name, golden in goldens.items()},
        entries=entries,
        lanes=LANES,
        synthetic=True,
        bounds={recipe.name: {n: rows.bounds(g, recipe, 0.0) for n, g in goldens.items()}},
        bounds_from=(),
        uncovered=(),
        tools={},
    )
    return bundles.seal(folder, manifest, {"model.onnx": "model"})


def _steps() -> dict[str, Any]:
    own = {"media": ["image/*"], "suffixes": [".jpg"], "host": BEFORE, "graph": None}
    gives = [
        {"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)}
        for spec in FROM_BYTES.outputs
    ]
    return {"inputs": {"image": own}, "graph": None, "host": AFTER, "gives": gives, "single": True}


def _golden(name: str, signature: Signature, cases: list[Case]) -> Golden:
    exact = {spec.name: OutputNoise(0.0) for spec in signature.outputs}
    return Golden(name, signature, tuple(cases), exact | {"logits": OutputNoise(1e-6)})


def _tensors(size: int) -> Case:
    image = np.random.default_rng(size).normal(size=(size, 3, SIDE, SIDE)).astype(np.float32)
    answers = original(image)
    noise: Mapping[str, Array] = {"logits": np.full_like(answers["logits"], 1e-5)}
    return Case(f"batch{size}", "made", {"image": image}, answers, synthetic=True, noise=noise)


def _photo(kind: str, data: bytes) -> Case:
    frame: dict[str, Any] = {}
    answers = original(np.asarray(host.before([dict(step) for step in BEFORE], data, frame)))
    tensors = host.after([dict(step) for step in AFTER], answers, frame)
    noise: Mapping[str, Array] = {"logits.scores": np.full((1, BEST), 1e-6, np.float32)}
    raw = {"image": np.frombuffer(data, np.uint8)}
    return Case(f"photo-{kind}", "made", raw, tensors, synthetic=True, noise=noise)
