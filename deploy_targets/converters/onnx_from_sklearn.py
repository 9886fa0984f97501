"""scikit-learn -> ONNX by skl2onnx, in a child process.

In: a SourceSpec, from which the child loads the estimator again, and the Signature whose names
and shapes the graph must bear. Out: model.onnx with plain tensors alone, and export.log, which
never ships. skl2onnx gives columns where scikit-learn gives vectors, and two columns for one
score: here they become what scikit-learn gives.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deploy_targets.errors import ConversionFailed, ToolMissing, UnsupportedModel
from deploy_targets.frontends.sklearn_answers import (
    LABEL,
    PREDICTION,
    PROBABILITIES,
    SCORES,
    TRANSFORMED,
    called,
    final,
)
from deploy_targets.frontends.sklearn_given import MISSING_HINT
from deploy_targets.frontends.sklearn_mended import keep_fractions_unknown, mended, plain_numbers
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.integrations import worker
from deploy_targets.records import Signature, Tensors, TensorSpec

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto

OPSETS = {"": 20, "ai.onnx.ml": 3}
LOG = "export.log"
PLACES = {LABEL: 0, PREDICTION: 0, TRANSFORMED: 0, PROBABILITIES: 1, SCORES: 1}
"""Which of the outputs that skl2onnx gives is which of ours."""

RAW: tuple[dict[str, bool], ...] = ({"zipmap": False, "raw_scores": True}, {"raw_scores": True})
PLAIN: tuple[dict[str, bool], ...] = ({"zipmap": False}, {})
"""What is asked of skl2onnx, the first that the last estimator has; for scores, RAW before it."""


def capture(
    spec: SourceSpec,
    signature: Signature,
    methods: Sequence[str],
    folder: Path,
    *,
    state: str,
    timeout: float = worker.TIMEOUT,
) -> None:
    """Writes the graph into `folder`. `methods`: the outputs in the estimator's own words, in
    order; `state`: the digest that the child's estimator must have.

    Raises ConversionFailed, UnsupportedModel, ToolMissing.
    """
    worker.call(
        f"{__name__}:export",
        {
            "spec": _plain(spec),
            "signature": _plain(signature),
            "methods": list(methods),
            "folder": str(folder.absolute()),
            "state": state,
        },
        who="skl2onnx",
        timeout=timeout,
        log=folder / LOG,
    )


def export(
    spec: dict[str, Any], signature: dict[str, Any], methods: list[str], folder: str, state: str
) -> None:
    """The child's half: loads the estimator, converts it, names and cleans the graph."""
    from deploy_targets.frontends.eager import home
    from deploy_targets.frontends.observe import observing
    from deploy_targets.frontends.sklearn_given import estimator_of
    from deploy_targets.frontends.sklearn_state import state_of

    source, wanted = _record(SourceSpec, spec), _record(Signature, signature)
    with observing(home(source)) as observed:
        estimator = estimator_of(source, observed)
        if state_of(estimator).sha.hexdigest() != state:
            raise UnsupportedModel(
                f"{source.source} gives another estimator each time it is loaded",
                hint="fit it with random_state=0, or fit it once, keep it by joblib.dump(model, "
                '"model.joblib"), and load that',
            )
        model = converted(estimator, wanted, methods)
    _write(model, wanted, Path(folder))


def converted(estimator: Any, signature: Signature, methods: Sequence[str]) -> ModelProto:
    """The graph, its outputs as scikit-learn has them.

    Raises ToolMissing, or UnsupportedModel where skl2onnx has no converter, or gives what cannot be
    run.
    """
    model = _by_skl2onnx(estimator, signature.inputs[0], methods)
    keep_fractions_unknown(model)
    try:
        seen = _run(model, signature)
        _choose_outputs(model.graph, signature.outputs, methods, seen)
        _run(model, signature)
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise _refused(estimator, first) from error
    return model


def _by_skl2onnx(estimator: Any, given: TensorSpec, methods: Sequence[str]) -> ModelProto:
    convert_sklearn = _converter()
    own = mended(estimator)
    for options in (*RAW, *PLAIN) if SCORES in methods else PLAIN:
        try:
            with plain_numbers(), warnings.catch_warnings():
                # What is deprecated inside of skl2onnx is none of the user's business.
                warnings.simplefilter("default")
                made: ModelProto = convert_sklearn(
                    own,
                    initial_types=[("deploy_target_in_0", _type_of(given))],
                    options={id(final(own)): options} if options else None,
                    target_opset=OPSETS,
                )
            return _raised(made)
        except NameError as error:
            # It says so of options that a class does not have.
            if "Option" not in str(error):
                raise _refused(estimator, str(error)) from error
        except Exception as error:
            said = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            raise _refused(estimator, said) from error
    raise AssertionError("no options at all are always taken")


def _converter() -> Any:
    try:
        from skl2onnx import convert_sklearn  # type: ignore[import-untyped,unused-ignore]
    except ModuleNotFoundError as error:
        raise ToolMissing(
            f"a graph of scikit-learn's needs {error.name}, which is not installed",
            hint=MISSING_HINT,
        ) from error
    return convert_sklearn


def _raised(model: ModelProto) -> ModelProto:
    """The opset that was asked for: skl2onnx states the least that the nodes would do with."""
    for opset in model.opset_import:
        if opset.domain in OPSETS:
            opset.version = OPSETS[opset.domain]
    return model


def _type_of(given: TensorSpec) -> Any:
    from skl2onnx.common import data_types  # type: ignore[import-untyped,unused-ignore]

    kinds = {
        "float32": data_types.FloatTensorType,
        "float64": data_types.DoubleTensorType,
        "int64": data_types.Int64TensorType,
    }
    return kinds[given.dtype]([None, given.shape[1]])


def _run(model: ModelProto, signature: Signature) -> Tensors:
    from deploy_targets.frontends.signature import probe, sizes_to_run
    from deploy_targets.integrations import onnx_runtime

    inputs = probe(signature.inputs, sizes_to_run(signature.axes)[-1])
    feeds = {model.graph.input[0].name: inputs[signature.inputs[0].name]}
    return onnx_runtime.run(model, feeds)


def _choose_outputs(
    graph: GraphProto, wanted: Sequence[TensorSpec], methods: Sequence[str], seen: Tensors
) -> None:
    """Leaves the outputs that are wanted, cast and reshaped, and the nodes that they need."""
    from onnx import helper

    given = [value.name for value in graph.output]
    values = []
    for index, (spec, method) in enumerate(zip(wanted, methods, strict=True)):
        source = given[PLACES[method] if len(given) > 1 else 0]
        if source not in seen:
            raise UnsupportedModel(f"its {method} is no tensor", hint="see above")
        name = f"deploy_target_out_{index}"
        _adapted(graph, source, name, spec, seen[source].shape)
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
        values.append(helper.make_tensor_value_info(name, kind, [None] * len(spec.shape)))
    del graph.output[:]
    graph.output.extend(values)
    _prune(graph)


def _adapted(
    graph: GraphProto, source: str, name: str, spec: TensorSpec, seen: Sequence[int]
) -> None:
    from onnx import helper, numpy_helper

    if len(spec.shape) == 1 and len(seen) == 2 and seen[1] == 2:
        # One score for two classes comes as two columns, of which the second is it.
        graph.initializer.append(numpy_helper.from_array(np.array([1]), f"{name}_second"))
        graph.node.append(
            helper.make_node("Gather", [source, f"{name}_second"], [f"{name}_column"], axis=1)
        )
        source = f"{name}_column"
    sizes = [-1, *(size for size in spec.shape[1:])]
    graph.initializer.append(numpy_helper.from_array(np.array(sizes, np.int64), f"{name}_shape"))
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(spec.dtype))
    graph.node.extend(
        [
            helper.make_node("Cast", [source], [f"{name}_cast"], to=kind),
            helper.make_node("Reshape", [f"{name}_cast", f"{name}_shape"], [name]),
        ]
    )


def _prune(graph: GraphProto) -> None:
    """Drops the nodes and weights that no output needs."""
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed & set(node.output):
            kept.append(node)
            needed |= set(node.input)
            inner = (a.g for a in node.attribute if a.HasField("g"))
            needed |= {name for g in inner for each in g.node for name in each.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in needed]
    nodes = kept[::-1]
    del graph.node[:], graph.initializer[:]
    graph.node.extend(nodes)
    graph.initializer.extend(weights)


def _write(model: ModelProto, signature: Signature, folder: Path) -> None:
    from deploy_targets.graph.name_boundary import name_boundary
    from deploy_targets.graph.save import save
    from deploy_targets.graph.strip_metadata import strip_metadata

    name_boundary(model, signature.inputs, signature.outputs)
    strip_metadata(model)
    # skl2onnx draws a name for the graph.
    model.graph.name = "model"
    with contextlib.redirect_stdout(sys.stderr):
        save(model, folder)


def _refused(estimator: Any, said: str) -> UnsupportedModel | ConversionFailed:
    return UnsupportedModel(
        f"skl2onnx cannot carry {called(estimator)}: {said[:400]}",
        hint="use an estimator that skl2onnx converts (https://onnx.ai/sklearn-onnx/"
        "supported.html), or register a converter for it in the file of your source",
    )


def _plain(record: object) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter[Any](type(record)).dump_python(record, mode="json")


def _record(kind: type, plain: Any) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter[Any](kind).validate_python(plain)
