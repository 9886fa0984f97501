"""The half that runs in the toolchain, where TensorFlow is. In: a pickle of cases.

Each case is asked twice: with all inputs given and every size known; and with all but the first
input held as constants, as models hold axes and weights, and no size known. One wrong answer makes
the case wrong.
"""

from __future__ import annotations

import base64
import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf  # type: ignore[import-untyped,import-not-found,unused-ignore]
from onnx import numpy_helper
from onnx_in_tensorflow import graph_model
from onnx_in_tensorflow.value import UnsupportedModel

from tfjs import asking
from tfjs.asking import Case

Verdict = tuple[str, str]


def judge(file: str, results: str) -> int:
    """Writes a line of JSON for each case: its id, a word, what was said. Returns how many."""
    warnings.simplefilter("ignore")
    cases = pickle.loads(Path(file).read_bytes())
    with open(results, "w") as lines:
        for case in cases:
            lines.write(json.dumps([case.id, *_verdict(case)]) + "\n")
            lines.flush()
    return len(cases)


def _verdict(case: Case) -> Verdict:
    found = [
        _asked(case, given, wanted, constant)
        for given, wanted in case.data
        for constant in (False, True)
    ]
    return min(found, key=lambda verdict: asking.ORDER.index(verdict[0]))


def _asked(case: Case, given: Any, wanted: Any, constant: bool) -> Verdict:
    try:
        why = asking.wrong(case, wanted, _answers(case, given, constant))
    except UnsupportedModel as error:
        return asking.REFUSED, str(error)
    except Exception as error:
        return asking.CRASH, f"{type(error).__name__}: {error}"[:400]
    return (asking.WRONG, why) if why else (asking.RIGHT, "")


def _answers(case: Case, given: Any, constant: bool) -> list[Any]:
    model, arrays = _question(case, given, constant)
    graph = graph_model.prepared(model)
    if not constant:
        tensors = tuple(tf.constant(array) for array in arrays)
        return [np.asarray(tensor) for tensor in graph_model.compute(graph, tensors)]
    specs = [tf.TensorSpec([None] * array.ndim, array.dtype) for array in arrays]

    @tf.function(input_signature=specs, autograph=False)  # type: ignore[untyped-decorator]
    def run(*tensors: Any) -> list[Any]:
        return [tf.identity(tensor) for tensor in graph_model.compute(graph, tensors)]

    return [np.asarray(tensor) for tensor in run(*map(tf.constant, arrays))]


def _question(case: Case, given: Any, constant: bool) -> tuple[Any, list[Any]]:
    """The model and what it is fed: everything, or the first input alone."""
    model = onnx.load_from_string(case.model)
    arrays = [asking.held(array) for array in given]
    if any(
        asking.held(array) is None for given, wanted in case.data for array in (*given, *wanted)
    ):
        raise UnsupportedModel("it is about what is no tensor of TF.js", hint="-")
    if constant:
        names = [value.name for value in model.graph.input]
        for name, array in list(zip(names, given, strict=False))[1:]:
            model.graph.initializer.append(numpy_helper.from_array(array, name))
        arrays = arrays[:1]
        for value in model.graph.input:
            for dim in value.type.tensor_type.shape.dim:
                dim.ClearField("dim_value")
    return model, arrays


def write(file: str, folder: str) -> dict[str, list[str]]:
    """Writes each case's first question as a graph model. Returns the operators in each."""
    cases = pickle.loads(Path(file).read_bytes())
    return {case.id: _written(case, Path(folder) / str(i)) for i, case in enumerate(cases)}


def _written(case: Case, folder: Path) -> list[str]:
    folder.mkdir()
    try:
        model, arrays = _question(case, case.data[0][0], True)
        onnx.save(model, folder / "model.onnx")
        made = graph_model.write(str(folder / "model.onnx"), str(folder))
    except Exception as error:
        (folder / "why.txt").write_text(f"{type(error).__name__}: {error}"[:400])
        return []
    inputs = graph_model._inputs(graph_model.prepared(model))
    said = {value.name: _said(array) for value, array in zip(inputs, arrays, strict=True)}
    (folder / "feeds.json").write_text(json.dumps(said))
    return list(made["operators"])


def _said(array: Any) -> dict[str, Any]:
    raw = np.ascontiguousarray(array).tobytes()
    return {
        "dtype": array.dtype.name,
        "shape": list(array.shape),
        "bytes": base64.b64encode(raw).decode(),
    }
