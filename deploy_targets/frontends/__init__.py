"""From what the user has to a `Model` that answers and can be captured: a file per framework.

`load` brings a source to life; `recall` recognises one that has not changed, without importing
its framework. To add a framework: a file with a `load(spec)` beside these, its `Kind` in
source.py, and a line in `load`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from deploy_targets.errors import ToolMissing
from deploy_targets.frontends.environment import environment
from deploy_targets.frontends.source import Kind, SourceSpec, kind_of
from deploy_targets.frontends.witness import Witness, recall, remember
from deploy_targets.runtime import Model

if TYPE_CHECKING:
    from deploy_targets.frontends.observe import Observed
    from deploy_targets.workspace import Workspace


EXTRAS = {
    "torch": "torch",
    "onnxruntime": "torch",
    "sklearn": "sklearn",
    "joblib": "sklearn",
    "tensorflow": "tensorflow",
    "keras": "tensorflow",
    "h5py": "tensorflow",
}
"""Package -> the extra of ours that installs it, for a model that is no .onnx file."""


class LoadedModel(Model, Protocol):
    """A model and the record of what was read to load it."""

    @property
    def witness(self) -> Witness: ...


def load(
    spec: SourceSpec, workspace: Workspace | None = None, *, timeout: float = 600.0
) -> LoadedModel:
    """The model. With a workspace, what was read is remembered, so that `recall` can know it.

    `timeout`: seconds that one capture may take. Raises ConfigError, UnsupportedModel, ToolMissing.
    """
    kind = kind_of(spec)
    try:
        model = _load(kind, spec, timeout)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(error.name or "")
        if extra is None:
            raise
        extra = "onnx" if kind is Kind.ONNX else extra
        raise ToolMissing(
            f"{spec.source} needs {error.name}, which is not installed",
            hint=f"pip install 'deploy-targets[{extra}]'",
        ) from error
    if workspace is not None:
        remember(spec, workspace, model.witness)
    return model


def _load(kind: Kind, spec: SourceSpec, timeout: float) -> LoadedModel:
    if kind is Kind.ONNX:
        from deploy_targets.frontends import onnx

        return onnx.load(spec)
    if kind is Kind.PICKLED:
        from deploy_targets.frontends import sklearn

        return sklearn.load(spec, timeout)
    if kind in (Kind.KERAS, Kind.SAVED_MODEL):
        from deploy_targets.frontends import tensorflow

        return tensorflow.load(spec, timeout)
    if kind is Kind.CALLABLE:
        return _from_code(spec, timeout)
    from deploy_targets.frontends import eager

    return eager.load(spec, kind, timeout)


def _from_code(spec: SourceSpec, timeout: float) -> LoadedModel:
    """What the user's code gives says which framework it is of; none is imported to find out."""
    from deploy_targets.frontends import eager, sklearn_given, tensorflow_keras, tensorflow_quiet
    from deploy_targets.frontends.call_user import call_user
    from deploy_targets.frontends.observe import observing

    started = time.time()
    tensorflow_quiet.prepare()
    tensorflow_keras.number_from_the_start()
    with observing(eager.home(spec)) as observed:
        with sklearn_given.one_version():
            given = call_user(spec, observed, as_is=_is_model)
        identified = _learn(spec, observed, given)
    return identified(started, timeout)


def _learn(
    spec: SourceSpec, observed: Observed, given: object
) -> Callable[[float, float], LoadedModel]:
    """Runs what was given; the model follows from when it was loaded, and a timeout."""
    from deploy_targets.frontends import eager, sklearn, sklearn_given, tensorflow_keras

    if sklearn_given.is_estimator(given):
        estimator = sklearn_given.checked(spec, given)
        answers = sklearn.learn(spec, estimator)
        return lambda *when: sklearn.identified(answers, estimator, observed, *when)
    if tensorflow_keras.is_model(given):
        from deploy_targets.frontends import tensorflow

        of_keras = tensorflow.learn(spec, given)
        return lambda *when: tensorflow.identified(spec, of_keras, observed, *when)
    of_torch = eager.learn(spec, observed, given)
    return lambda *when: eager.identified(spec, Kind.CALLABLE, of_torch, observed, *when)


def _is_model(thing: object) -> bool:
    from deploy_targets.frontends import sklearn_given, tensorflow_keras

    torch = sys.modules.get("torch")
    if sklearn_given.is_estimator(thing) or tensorflow_keras.is_model(thing):
        return True
    return torch is not None and isinstance(thing, torch.nn.Module)


__all__ = ["LoadedModel", "SourceSpec", "Witness", "environment", "load", "recall", "remember"]
