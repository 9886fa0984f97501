"""Sessions of ONNX Runtime for an .onnx file: as it is written, and with other roundings."""

from __future__ import annotations

import functools
import re
import tempfile
from pathlib import Path
from typing import Any

from deploy_targets.errors import UnsupportedModel
from deploy_targets.runtime import Rounding

LARGE = 1 << 30
"""Bytes from which weights must lie beside a graph: one file holds no more than twice this."""


def plain(path: Path, *, optimized: bool = False) -> Any:
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
            f"ONNX Runtime cannot load {path}: {first_line(error)}",
            hint="export it again with operators that ONNX Runtime's CPU provider has",
        ) from error


@functools.lru_cache(maxsize=8)
def rounded(path: Path, digest: str, rounding: Rounding, seed: int) -> Any:
    """A session that rounds otherwise, kept for the next question of the same `digest`.

    Raises UnsupportedModel where there is none.
    """
    if rounding is Rounding.OPTIMIZED:
        return plain(path, optimized=True)
    return _jittered(path, seed)


def _jittered(path: Path, seed: int) -> Any:
    import onnx

    from deploy_targets.graph.jitter import jitter

    with tempfile.TemporaryDirectory() as temporary:
        beside = Path(temporary) / "model.onnx"
        moved = jitter(onnx.load(path), seed)
        onnx.save(moved, beside, save_as_external_data=moved.ByteSize() > LARGE)
        return plain(beside)


IN_ITS_SOURCE = re.compile(
    r"(\[ONNXRuntimeError\] : \d+ : \w+ : )|(Load model from .*? failed:)"
    r"|(Exception during initialization: )"
    r"|(/onnxruntime_src/\S+ [^()]*\([^()]*(\([^()]*\)[^()]*)*\)( const)?( \[with [^]]*\])? )"
)
"""What ONNX Runtime says of itself before it says what is wrong."""


def first_line(error: Exception) -> str:
    """What an error says, without its explanations and the places in somebody's source."""
    return IN_ITS_SOURCE.sub("", str(error).strip().partition("\n")[0]).strip()
