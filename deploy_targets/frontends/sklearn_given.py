"""The fitted estimator that a source gives: what the user's code returns, or a file holds.

Raises where it is no estimator, not fitted, or of another version of scikit-learn.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

from deploy_targets.errors import ToolMissing, UnsupportedModel
from deploy_targets.frontends.call_user import call_user, described
from deploy_targets.frontends.observe import Observed
from deploy_targets.frontends.sklearn_answers import bare, called
from deploy_targets.frontends.source import Kind, SourceSpec, file_of, kind_of, refuse_contents

MISSING_HINT = 'pip install "deploy-targets[sklearn]"'


def estimator_of(spec: SourceSpec, observed: Observed) -> Any:
    """The fitted estimator of a source. Raises ConfigError, UnsupportedModel, ToolMissing."""
    with one_version():
        if kind_of(spec) is Kind.PICKLED:
            thing = _unpickled(spec)
        else:
            thing = call_user(spec, observed, as_is=is_estimator)
    return checked(spec, thing)


def is_estimator(thing: object) -> bool:
    """Whether it is scikit-learn's, which is not imported to find out."""
    base = sys.modules.get("sklearn.base")
    return base is not None and isinstance(thing, base.BaseEstimator)


def checked(spec: SourceSpec, thing: Any) -> Any:
    """The estimator that answers. Raises UnsupportedModel where there is none, or none fitted."""
    from sklearn.exceptions import NotFittedError  # type: ignore[import-untyped,unused-ignore]
    from sklearn.utils.validation import (  # type: ignore[import-untyped,unused-ignore]
        check_is_fitted,
    )

    if not is_estimator(thing):
        raise UnsupportedModel(
            f"{spec.source} holds {_article(thing)}, not a scikit-learn estimator",
            hint='keep the fitted estimator itself: joblib.dump(model, "model.joblib")',
        )
    estimator = bare(thing)
    try:
        check_is_fitted(estimator)
    except (NotFittedError, TypeError) as error:
        raise UnsupportedModel(
            f"{spec.source} gives a {called(thing)} that is not fitted",
            hint="call fit before it is returned, or load one that was: joblib.load(…)",
        ) from error
    return estimator


@contextmanager
def one_version() -> Iterator[None]:
    """Where an estimator of another version of scikit-learn is an error and no warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Trying to unpickle estimator")
        yield


def _unpickled(spec: SourceSpec) -> Any:
    path = file_of(spec)
    assert path is not None, "a pickle is a file"
    refuse_contents(path, Kind.PICKLED)
    try:
        import joblib  # type: ignore[import-untyped,unused-ignore]
        import sklearn  # type: ignore[import-untyped,unused-ignore] # noqa: F401
    except ModuleNotFoundError as error:
        raise ToolMissing(
            f"{spec.source} needs {error.name}, which is not installed", hint=MISSING_HINT
        ) from error
    try:
        with redirect_stdout(sys.stderr):
            return joblib.load(path)
    except Exception as error:
        raise UnsupportedModel(
            f"{path} cannot be loaded by joblib: {described(error)}", hint=_hint(error)
        ) from error


def _hint(error: Exception) -> str:
    if type(error).__name__ == "InconsistentVersionWarning":
        then = getattr(error, "original_sklearn_version", "the version it was written by")
        return f"pip install scikit-learn=={then}, or fit it again with the version that is here"
    if isinstance(error, ModuleNotFoundError | AttributeError):
        return "give it as file.py:function, in a file that imports what it needs and loads it"
    return 'write it again: joblib.dump(model, "model.joblib")'


def _article(thing: object) -> str:
    name = type(thing).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
