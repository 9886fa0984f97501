"""A fitted scikit-learn estimator or pipeline as a source: what code gives, or a joblib file.

In: a SourceSpec. Out: a `SklearnModel`. The reference is scikit-learn itself, asked for the
probabilities, scores or values of float32 features; the graph comes from skl2onnx, in a child
process that loads the estimator again, and lends nothing to the reference but the size of what
float32 leaves open.
"""

from __future__ import annotations

import functools
import shutil
import sys
import tempfile
import time
import weakref
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from deploy_targets.errors import ConfigError, DeployError, ToolMissing
from deploy_targets.frontends.arrays import check_inputs
from deploy_targets.frontends.call_user import described
from deploy_targets.frontends.eager import home
from deploy_targets.frontends.observe import Observed, observing
from deploy_targets.frontends.signature import infer
from deploy_targets.frontends.sklearn_answers import answer, asked, called
from deploy_targets.frontends.sklearn_given import estimator_of
from deploy_targets.frontends.sklearn_state import State, state_of, stored, versions
from deploy_targets.frontends.source import (
    Kind,
    SourceSpec,
    kind_of,
    name_of,
)
from deploy_targets.frontends.witness import Witness, witness_load
from deploy_targets.records import (
    Array,
    Capture,
    Dialect,
    DynamicAxis,
    Signature,
    Tensors,
    TensorSpec,
)
from deploy_targets.runtime import Rounding
from deploy_targets.workspace import digest_of

CAPTURES = (Capture(Dialect.ONNX, "skl2onnx"),)
FEATURES, BATCH = "features", DynamicAxis("batch", 1, 64)
"""What is assumed where deploy.toml declares nothing."""

DTYPES = ("float32", "float64", "int64")


@dataclass(frozen=True)
class SklearnModel:
    """A fitted estimator, its signature, and where it came from."""

    name: str
    digest: str
    signature: Signature
    witness: Witness
    spec: SourceSpec
    estimator: Any
    state: str
    timeout: float

    @property
    def captures(self) -> tuple[Capture, ...]:
        """The one way to a graph."""
        return CAPTURES

    @functools.cached_property
    def roundings(self) -> tuple[Rounding, ...]:
        """Float64 where the features are less; operands, if there is a graph to move them in.

        Raises ToolMissing where none can be made: all that is recorded would be in vain.
        """
        if isinstance(self._graph, ToolMissing):
            raise self._graph
        wide = self.signature.inputs[0].dtype == "float32"
        graph = isinstance(self._graph, Path) and self._strays()
        return ((Rounding.DOUBLE,) if wide else ()) + ((Rounding.OPERANDS,) if graph else ())

    @property
    def takes_inputs_exactly(self) -> bool:
        """Whether trees compare the features as they are given."""
        from deploy_targets.frontends.sklearn_rounding import only_trees_see_inputs

        return isinstance(self._graph, Path) and only_trees_see_inputs(self._graph / "model.onnx")

    def run(
        self, inputs: Tensors, *, rounding: Rounding | None = None, seed: int = 0
    ) -> dict[str, Array]:
        """What scikit-learn answers. Raises ConfigError for inputs that do not fit."""
        check_inputs(self.signature, inputs)
        features = inputs[self.signature.inputs[0].name]
        if rounding is Rounding.DOUBLE:
            return self._named(answer(self.estimator, features.astype(np.float64), "float64"))
        answers = self._named(answer(self.estimator, features))
        return self._strayed(answers, inputs, seed) if rounding else answers

    def second_opinion(self, inputs: Tensors) -> None:
        """None: scikit-learn is judged by nobody here."""

    def capture(self, capture: Capture, folder: Path) -> None:
        """Writes the graph. Raises ConversionFailed, UnsupportedModel, ToolMissing."""
        if isinstance(self._graph, DeployError):
            raise self._graph
        for file in sorted(self._graph.iterdir()):
            shutil.copyfile(file, folder / file.name)

    def _named(self, answers: dict[str, Array]) -> dict[str, Array]:
        names = [spec.name for spec in self.signature.outputs]
        return dict(zip(names, answers.values(), strict=True))

    def _strayed(self, answers: dict[str, Array], inputs: Tensors, seed: int) -> dict[str, Array]:
        """The reference, moved by as much as the graph moves when it rounds otherwise."""
        from deploy_targets.frontends.sklearn_rounding import strayed

        assert isinstance(self._graph, Path), "else it has no such rounding"
        found = strayed(self._graph / "model.onnx", self.digest, inputs, seed)
        return {name: _beside(want, *found[name]) for name, want in answers.items()}

    def _strays(self) -> bool:
        from deploy_targets.frontends.signature import probe, sizes_to_run

        inputs = probe(self.signature.inputs, sizes_to_run(self.signature.axes)[0])
        try:
            self.run(inputs, rounding=Rounding.OPERANDS)
        except Exception:
            return False
        return True

    @functools.cached_property
    def _graph(self) -> Path | DeployError:
        """The folder of the converted graph, or why there is none."""
        from deploy_targets.converters import onnx_from_sklearn

        folder = Path(tempfile.mkdtemp(prefix="deploy-target-"))
        weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
        try:
            onnx_from_sklearn.capture(
                self.spec,
                self.signature,
                list(asked(self.estimator)),
                folder,
                state=self.state,
                timeout=self.timeout,
            )
        except DeployError as error:
            return error
        return folder


def load(spec: SourceSpec, timeout: float) -> SklearnModel:
    """The model in a joblib file or a pickle. Raises UnsupportedModel, ToolMissing."""
    started = time.time()
    with observing(home(spec)) as observed:
        estimator = estimator_of(spec, observed)
        learnt = learn(spec, estimator)
    return identified(learnt, estimator, observed, started, timeout)


def learn(spec: SourceSpec, estimator: Any) -> tuple[SourceSpec, Signature]:
    """The spec with all that was left open, and what comes out of the estimator."""
    full = _declared(spec, estimator)

    def run(inputs: Tensors) -> dict[str, Array]:
        return _tried(full, estimator, inputs)

    batch = full.batch or next((d for d in full.inputs[0].shape[:1] if isinstance(d, str)), None)
    return full, infer(full.inputs, full.axes, spec.outputs, batch, run)


def identified(
    learnt: tuple[SourceSpec, Signature],
    estimator: Any,
    observed: Observed,
    started: float,
    timeout: float,
) -> SklearnModel:
    """The model with its digest, and the record of what was read."""
    spec, signature = learnt
    state = state_of(estimator)
    digest = _digest(state, observed)
    # A file that is all of a model accounts for it, however it is compressed.
    tensors = () if kind_of(spec) is Kind.PICKLED else stored(state)
    witness = witness_load(spec, digest, observed, tensors, started)
    return SklearnModel(
        name_of(spec),
        digest,
        signature,
        witness,
        spec,
        estimator,
        state.sha.hexdigest(),
        timeout,
    )


def _digest(state: State, observed: Observed) -> str:
    used = versions(state.packages)
    return digest_of("sklearn", state.sha.hexdigest(), dict(observed.modules), used)


def _declared(spec: SourceSpec, estimator: Any) -> SourceSpec:
    """One input of so many features per row, and what deploy.toml says of it."""
    count = getattr(estimator, "n_features_in_", None)
    if not spec.inputs:
        if count is None:
            raise ConfigError(
                f"{called(estimator)} does not say how many features it takes",
                hint='declare them: [inputs.features] shape = ["batch", 4]',
            )
        own = TensorSpec(FEATURES, "float32", (BATCH.name, int(count)))
        axes = spec.axes or (BATCH,)
        return replace(spec, inputs=(own,), axes=axes)
    given = spec.inputs[0]
    wrong = len(spec.inputs) > 1 or len(given.shape) != 2 or count not in (None, given.shape[1])
    if wrong or given.dtype not in DTYPES or isinstance(given.shape[1], str):
        raise ConfigError(
            f"{called(estimator)} takes one input of {', '.join(DTYPES[:-1])} or {DTYPES[-1]} "
            f"with {count or 'a fixed number of'} features per row",
            hint=f'declare [inputs.{given.name}] dtype = "float32" '
            f'shape = ["batch", {count or 4}]; or nothing, then it is found out',
        )
    dims = [dim for dim in given.shape if isinstance(dim, str)]
    known = {axis.name for axis in spec.axes}
    found = tuple(replace(BATCH, name=dim) for dim in dims if dim not in known)
    return replace(spec, axes=(*spec.axes, *found))


def _tried(spec: SourceSpec, estimator: Any, inputs: Tensors) -> dict[str, Array]:
    (features,) = inputs.values()
    try:
        # What an estimator of the user's own prints must not mix with our results on stdout.
        with redirect_stdout(sys.stderr):
            return answer(estimator, features)
    except DeployError:
        raise
    except Exception as error:
        raise ConfigError(
            f"{called(estimator)} cannot take the made-up {features.dtype.name}"
            f"{list(features.shape)}: {described(error)}",
            hint=f"declare what it takes: [inputs.{spec.inputs[0].name}] range = [least, largest]; "
            'encoders take values they have not seen with handle_unknown="ignore"',
        ) from error


def _beside(want: Array, still: Array, moved: Array) -> Array:
    if want.dtype.kind != "f":
        return np.where(still == moved, want, moved.astype(want.dtype))
    with np.errstate(all="ignore"):
        off = moved.astype(np.float64) - still.astype(np.float64)
        return np.asarray(want.astype(np.float64) + np.where(still == moved, 0.0, off))
