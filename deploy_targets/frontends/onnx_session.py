"""Sessions of ONNX Runtime for an .onnx file: as it is written, and with other roundings."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

from deploy_targets.errors import UnsupportedModel
from deploy_targets.runtime import Rounding

IN_ITS_SOURCE = re.compile(
    r"(\[ONNXRuntimeError\] : \d+ : \w+ : )|(Load model from .*? failed:)"
    r"|(Exception during initialization: )"
    r"|(/onnxruntime_src/\S+ [^()]*\([^()]*(\([^()]*\)[^()]*)*\)( const)?( \[with [^]]*\])? )"
)
"""What ONNX Runtime says of itself before it says what is wrong."""

LARGE = (1 << 31) - 1
"""Bytes that one graph may have; beyond, its weights lie beside it."""


def plain(path: Path | bytes, *, optimized: bool = False) -> Any:
    """On one thread and as written: what is judged by it must not be optimised as it is.

    Raises UnsupportedModel.
    """
    import onnxruntime as ort  # type: ignore[import-untyped,unused-ignore]

    levels = ort.GraphOptimizationLevel
    options = ort.SessionOptions()
    options.graph_optimization_level = (
        levels.ORT_ENABLE_ALL if optimized else levels.ORT_DISABLE_ALL
    )
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise UnsupportedModel(
            f"ONNX Runtime cannot load {_named(path)}: {first_line(error)}",
            hint="export it again with operators that ONNX Runtime's CPU provider has",
        ) from error


def rounded(path: Path, digest: str, rounding: Rounding, seed: int) -> Any:
    """A session that rounds otherwise; of a graph of that `digest`.

    Raises UnsupportedModel where there is none.
    """
    if rounding is Rounding.OPTIMIZED:
        return _optimized(path, digest)
    return plain(_jittered(path, digest, seed))


@functools.lru_cache(maxsize=2)
def _optimized(path: Path, digest: str) -> Any:
    return plain(path, optimized=True)


@functools.lru_cache(maxsize=4)
def _jittered(path: Path, digest: str, seed: int) -> bytes:
    """The graph, not a session: what a session draws depends on what it was asked before."""
    import onnx

    from deploy_targets.graph.jitter import jitter

    moved = jitter(onnx.load(path), seed)
    if moved.ByteSize() > LARGE:
        raise UnsupportedModel(f"{path} is too large to be varied", hint="nothing: it is judged")
    if len(moved.graph.node) == len(onnx.load(path, load_external_data=False).graph.node):
        raise UnsupportedModel(f"{path} computes nothing in float32", hint="nothing: it is judged")
    raw: bytes = moved.SerializeToString()
    return raw


def _named(path: Path | bytes) -> str:
    return str(path) if isinstance(path, Path) else "the graph"


def first_line(error: Exception) -> str:
    """What an error says, without its explanations and the places in somebody's source."""
    return IN_ITS_SOURCE.sub("", str(error).strip().partition("\n")[0]).strip()
