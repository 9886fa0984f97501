"""A model of TensorFlow's as a source: a SavedModel, a Keras file, or what the user's code gives.

In: a SourceSpec. Out: a `TensorFlowModel`. The reference is TensorFlow itself on the CPU: Keras
called eagerly, or the SavedModel's own signature. Graphs are captured from the model frozen, its
variables constants; how sure it is of its answers is found by computing that graph otherwise.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deploy_targets.errors import ConfigError, DeployError, UnsupportedModel
from deploy_targets.frontends import merge
from deploy_targets.frontends import tensorflow_keras as from_keras
from deploy_targets.frontends import tensorflow_saved as from_folder
from deploy_targets.frontends.arrays import FLOATS, check_inputs
from deploy_targets.frontends.call_user import described
from deploy_targets.frontends.observe import Observed
from deploy_targets.frontends.signature import infer, probe, sizes_to_run
from deploy_targets.frontends.source import (
    Kind,
    SourceSpec,
    changed,
    files_of,
    kind_of,
    name_of,
    signature_of,
)
from deploy_targets.frontends.tensorflow_frozen import Frozen, freeze, write
from deploy_targets.frontends.tensorflow_quiet import quiet, tensorflow
from deploy_targets.frontends.tensorflow_saved import Loaded
from deploy_targets.frontends.tensorflow_tensors import dtype_of, specs
from deploy_targets.frontends.witness import Witness, witness_files, witness_load
from deploy_targets.records import Array, Capture, Dialect, Signature, Tensors
from deploy_targets.runtime import Rounding
from deploy_targets.workspace import digest_of, digest_of_file

AS_SAVED, AS_ONNX = Capture(Dialect.SAVED_MODEL, "tensorflow"), Capture(Dialect.ONNX, "tf2onnx")
VARIED = (Rounding.DOUBLE, Rounding.OPERANDS, Rounding.THREADS, Rounding.OPTIMIZED)


@dataclass(frozen=True)
class TensorFlowModel:
    """A model that TensorFlow runs, its signature, and where it came from."""

    name: str
    digest: str
    signature: Signature
    witness: Witness
    spec: SourceSpec
    loaded: Loaded
    frozen: Frozen
    timeout: float

    @property
    def captures(self) -> tuple[Capture, ...]:
        """The graph itself, and what tf2onnx makes of it."""
        return AS_SAVED, AS_ONNX

    @functools.cached_property
    def roundings(self) -> tuple[Rounding, ...]:
        """Those that the whole graph can be computed with: found by trying."""
        return tuple(rounding for rounding in VARIED if self._takes(rounding))

    def run(
        self, inputs: Tensors, *, rounding: Rounding | None = None, seed: int = 0
    ) -> dict[str, Array]:
        """What TensorFlow answers. Raises ConfigError for inputs that do not fit."""
        check_inputs(self.signature, inputs)
        arrays = [inputs[spec.name] for spec in self.signature.inputs]
        answers = _answers(self.loaded, arrays)
        names = [spec.name for spec in self.signature.outputs]
        if rounding is None:
            return dict(zip(names, answers.values(), strict=True))
        still, moved = self._varied.both(rounding, seed, arrays)
        beside = map(_beside, answers.values(), still, moved)
        return dict(zip(names, beside, strict=True))

    def second_opinion(self, inputs: Tensors) -> None:
        """None: TensorFlow is judged by nobody here."""

    def capture(self, capture: Capture, folder: Path) -> None:
        """Writes the graph. Raises ConversionFailed, UnsupportedModel, ToolMissing."""
        if capture not in self.captures:
            raise UnsupportedModel(
                f"a model of TensorFlow's cannot become {capture.dialect} by {capture.how}",
                hint=f"it becomes {AS_SAVED.dialect} or {AS_ONNX.dialect}",
            )
        if capture == AS_SAVED:
            write(self.frozen, self.signature, folder)
            return
        from deploy_targets.converters import onnx_from_tensorflow

        onnx_from_tensorflow.capture(self.frozen, self.signature, folder, timeout=self.timeout)

    @functools.cached_property
    def _varied(self) -> Any:
        from deploy_targets.frontends.tensorflow_rounding import Varied

        return Varied(self.frozen)

    def _takes(self, rounding: Rounding) -> bool:
        inputs = probe(self.signature.inputs, sizes_to_run(self.signature.axes)[0])
        try:
            self.run(inputs, rounding=rounding)
        except Exception:
            return False
        return any(spec.dtype in FLOATS for spec in self.signature.outputs)


def load(spec: SourceSpec, timeout: float) -> TensorFlowModel:
    """The model in a folder or a file. Raises ConfigError, UnsupportedModel."""
    files = files_of(spec)
    digest = _digest_of_files(spec, files)
    if kind_of(spec) is Kind.SAVED_MODEL:
        loaded = from_folder.load(spec)
    else:
        loaded = from_keras.loaded(spec, from_keras.load(spec))
    signature = _signature(spec, loaded)
    frozen = freeze(loaded, signature.inputs, spec.source)
    if _digest_of_files(spec, files) != digest:
        raise changed(spec.base / spec.source)
    witness = witness_files(spec, digest, files.values())
    return TensorFlowModel(name_of(spec), digest, signature, witness, spec, loaded, frozen, timeout)


def learn(spec: SourceSpec, model: Any) -> tuple[Any, Loaded, Signature]:
    """The Keras model that the user's code gave, and what some runs show to come out of it."""
    loaded = from_keras.loaded(spec, model)
    return model, loaded, _signature(spec, loaded)


def identified(
    spec: SourceSpec,
    learnt: tuple[Any, Loaded, Signature],
    observed: Observed,
    started: float,
    timeout: float,
) -> TensorFlowModel:
    """The model with its digest, and the record of what was read since `started`."""
    model, loaded, signature = learnt
    frozen = freeze(loaded, signature.inputs, spec.source)
    # The graph holds the weights and all that was read into it; the code is what is asked.
    digest = digest_of("keras", frozen.digest, dict(observed.modules), _versions())
    stored = ((weight.path, [functools.partial(_bytes, weight)]) for weight in model.weights)
    witness = witness_load(spec, digest, observed, stored, started)
    return TensorFlowModel(name_of(spec), digest, signature, witness, spec, loaded, frozen, timeout)


def _signature(spec: SourceSpec, loaded: Loaded) -> Signature:
    full = merge.complete(spec, specs(loaded.inputs, spec), ())

    def run(inputs: Tensors) -> dict[str, Array]:
        return _tried(full, loaded, inputs)

    return infer(full.inputs, full.axes, spec.outputs, spec.batch, run)


def _answers(loaded: Loaded, arrays: Sequence[Array]) -> dict[str, Array]:
    tf = tensorflow()
    with quiet(), tf.device("CPU:0"):
        if loaded.answer is not None:
            said: Mapping[str, Any] = loaded.answer(arrays)
        else:
            # Copies: on the CPU a tensor may be the very memory of an array.
            said = dict(loaded.call([tf.constant(np.array(array)) for array in arrays]))
    return {name: _array(name, value) for name, value in said.items()}


def _array(name: str, value: Any) -> Array:
    if hasattr(value, "row_splits") or hasattr(value, "indices"):
        raise UnsupportedModel(
            f"output {name} is a ragged or sparse tensor; only dense ones cross a boundary",
            hint="return x.to_tensor() or tf.sparse.to_dense(x)",
        )
    array = np.array(value.numpy() if hasattr(value, "numpy") else value)
    dtype_of(f"output {name}", "string" if array.dtype.kind in "OSU" else array.dtype.name)
    return array


def _tried(spec: SourceSpec, loaded: Loaded, inputs: Tensors) -> dict[str, Array]:
    try:
        return _answers(loaded, list(inputs.values()))
    except DeployError:
        raise
    except Exception as error:
        shapes = ", ".join(f"{name} {a.dtype.name}{list(a.shape)}" for name, a in inputs.items())
        ranges = " ".join(f"{a.name} = [{a.minimum}, {a.maximum}]" for a in spec.axes)
        raise ConfigError(
            f"{spec.source} fails on {shapes}: {described(error)}",
            hint=f"declare what it takes in deploy.toml: [axes] {ranges}, "
            "or a range of values under [inputs.NAME]",
        ) from error


def _beside(want: Array, still: Array, moved: Array) -> Array:
    """The reference, off by as much as the graph is when it rounds otherwise."""
    if want.dtype.kind != "f":
        return np.where(still == moved, want, moved.astype(want.dtype))
    with np.errstate(all="ignore"):
        off = moved.astype(np.float64) - still.astype(np.float64)
        return np.asarray(want.astype(np.float64) + np.where(still == moved, 0.0, off))


def _digest_of_files(spec: SourceSpec, files: Mapping[str, Path]) -> str:
    contents = {name: digest_of_file(path) for name, path in files.items()}
    return digest_of("tensorflow", contents, signature_of(spec), _versions())


def _versions() -> dict[str, str]:
    import importlib.metadata

    return {"tensorflow": tensorflow().__version__, "keras": importlib.metadata.version("keras")}


def _bytes(weight: Any) -> memoryview:
    return np.frombuffer(weight.numpy().tobytes(), np.uint8).data
