"""What a fitted estimator answers, as named tensors: the methods that are asked, and their dtypes.

In: an estimator. Out: per output a name and a function from the features to an array. Numbers
leave as float32, labels as int64. To add a kind of estimator: a line in `_methods`.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from deploy_targets.errors import UnsupportedModel
from deploy_targets.records import Array

LABEL, PROBABILITIES, SCORES = "label", "probabilities", "scores"
PREDICTION, TRANSFORMED = "prediction", "transformed"


def bare(estimator: Any) -> Any:
    """The estimator that answers: of a search over parameters, the best that it found."""
    while hasattr(estimator, "best_estimator_"):
        estimator = estimator.best_estimator_
    return estimator


def final(estimator: Any) -> Any:
    """The last step of a pipeline, of a pipeline in it, and so on."""
    while hasattr(estimator, "steps") and not isinstance(bare(estimator), str):
        estimator = bare(estimator.steps[-1][1])
    return estimator


def asked(estimator: Any) -> dict[str, str]:
    """Output -> the method that gives it. Raises UnsupportedModel where there is none."""
    found = dict(_methods(estimator))
    if found:
        return found
    name = called(estimator)
    raise UnsupportedModel(
        f"{name} answers nothing that a tensor can hold",
        hint="its classes are no integers and it gives no probabilities: encode the classes "
        "(sklearn.preprocessing.LabelEncoder), or use an estimator with predict_proba",
    )


def called(estimator: Any) -> str:
    """The name of an estimator's class, and of the last step's where it is a pipeline."""
    own, last = type(estimator).__name__, type(final(estimator)).__name__
    return own if own == last else f"{own} ending in {last}"


def answer(estimator: Any, features: Array, number: str = "float32") -> dict[str, Array]:
    """Every output of the estimator for these features, one row each; numbers as that dtype."""
    methods = asked(estimator)
    return {name: _asked(estimator, methods[name], features, number) for name in methods}


def _methods(estimator: Any) -> Iterator[tuple[str, str]]:
    from sklearn.base import (  # type: ignore[import-untyped,unused-ignore]
        is_classifier,
        is_clusterer,
        is_outlier_detector,
        is_regressor,
    )

    if is_classifier(estimator):
        yield from _of_classifier(estimator)
    elif is_regressor(estimator):
        yield PREDICTION, "predict"
    elif is_outlier_detector(estimator):
        yield from ((LABEL, "predict"), (SCORES, "decision_function"))
    elif hasattr(estimator, "predict_proba"):
        yield from ((LABEL, "predict"), (PROBABILITIES, "predict_proba"))
    elif is_clusterer(estimator) and hasattr(estimator, "predict"):
        yield LABEL, "predict"
        if hasattr(estimator, "transform"):
            yield SCORES, "transform"
    elif hasattr(estimator, "transform"):
        yield TRANSFORMED, "transform"


def _of_classifier(estimator: Any) -> Iterator[tuple[str, str]]:
    classes = estimator.classes_
    if isinstance(classes, list) or np.ndim(classes) != 1 or multilabel(estimator):
        raise UnsupportedModel(
            f"{called(estimator)} gives several labels to one row",
            hint="give each label its own classifier, and build each of them",
        )
    if numbered(estimator):
        yield LABEL, "predict"
    if hasattr(estimator, "predict_proba"):
        yield PROBABILITIES, "predict_proba"
    elif hasattr(estimator, "decision_function"):
        yield SCORES, "decision_function"


def numbered(estimator: Any) -> bool:
    """Whether the classes of a classifier are integers, which a tensor can hold."""
    return bool(np.asarray(estimator.classes_).dtype.kind in "iu")


def multilabel(estimator: Any) -> bool:
    """Whether several classes of one row can be right at once."""
    return bool(getattr(final(estimator), "multilabel_", False))


def _asked(estimator: Any, method: str, features: Array, number: str) -> Array:
    with _quiet():
        found = getattr(estimator, method)(features)
    dense = np.asarray(found.toarray() if hasattr(found, "toarray") else found)
    if dense.dtype.kind == "f":
        # What lies beyond float32 becomes infinite, and the judge says so.
        with np.errstate(over="ignore"):
            return dense.astype(number)
    if dense.dtype.kind in "iu":
        return dense.astype(np.int64)
    if dense.dtype.kind == "b":
        return dense
    raise UnsupportedModel(
        f"{called(estimator)} answers with {dense.dtype.name} from {method}",
        hint="let it answer with numbers: no target carries text or objects",
    )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the remark that it was fitted on named columns, which are given in their order."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.filterwarnings("ignore", message="X does not have valid feature names")
        warnings.filterwarnings("ignore", category=RuntimeWarning)
        yield
