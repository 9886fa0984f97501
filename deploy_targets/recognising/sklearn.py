"""Fitted scikit-learn scalers, imputers and encoders, alone, in a Pipeline or ColumnTransformer.

What each does to a column is gathered column by column (`columns.py`), then written as the table.
To add an estimator: a function from it to what it does to its columns, and a line in `STEPS`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from deploy_targets.errors import ConfigError
from deploy_targets.recognising.columns import Column, Columns
from deploy_targets.recognising.found import Found
from deploy_targets.recognising.rows_asked import asking


def recognise(thing: Any) -> Found | None:
    """None where it is no fitted estimator of a kind in `STEPS`. Raises ConfigError for a model."""
    if not _known(thing):
        return None
    if type(thing).__name__ == "Pipeline":
        _refuse_model(thing)
    count = getattr(thing, "n_features_in_", None)
    if count is None:
        raise ConfigError(
            f"the {type(thing).__name__} is not fitted",
            hint="name the fitted one: a function that loads it with joblib, for example",
        )
    given = [str(name) for name in getattr(thing, "feature_names_in_", ())]
    names = given or [f"x{index}" for index in range(count)]
    columns = Columns()
    if not given:
        columns.cannot("columns", "it was fitted without their names: correct x0, x1, …")
    done = _take(columns, thing, [Column(name) for name in names])
    what = f"a scikit-learn {type(thing).__name__}"
    call = asking(thing, names, done)
    return Found(what, columns.table(done), tuple(columns.left_out), call=call)


def _known(thing: object) -> bool:
    ours = any(kind.__module__.startswith("sklearn.") for kind in type(thing).__mro__)
    return ours and type(thing).__name__ in STEPS


def _refuse_model(pipeline: Any) -> None:
    last = pipeline.steps[-1][1]
    if hasattr(last, "predict"):
        raise ConfigError(
            f"a Pipeline that ends in a {type(last).__name__} is a model, and what it does before "
            "is in it",
            hint="give it as the source, without --transform",
        )


def _take(columns: Columns, step: Any, given: Sequence[Column]) -> list[Column]:
    name = type(step).__name__
    if isinstance(step, str) or name == "FunctionTransformer":
        if step != "passthrough" and getattr(step, "func", None) is not None:
            columns.cannot(name, "what a function of your own does cannot be read")
        return list(given)
    if name not in STEPS:
        columns.cannot(name, "a step that is not known here")
        return list(given)
    return STEPS[name](columns, step, given)


def _pipeline(columns: Columns, step: Any, given: Sequence[Column]) -> list[Column]:
    done = list(given)
    for _, inner in step.steps:
        done = _take(columns, inner, done) if inner is not None else done
    return done


def _by_column(columns: Columns, step: Any, given: Sequence[Column]) -> list[Column]:
    """Columns come out in the order of the transformers; those of none are dropped."""
    by_name = {column.name: column for column in given}
    done: list[Column] = []
    for _, inner, chosen in step.transformers_:
        keys = [chosen] if isinstance(chosen, str | int) else list(chosen)
        picked = [by_name[key] if isinstance(key, str) else given[int(key)] for key in keys]
        if inner != "drop" and picked:
            done += _take(columns, inner, picked)
    return done


def _standard(columns: Columns, step: Any, given: Sequence[Column]) -> list[Column]:
    centres = step.mean_ if step.with_mean else [0.0] * len(given)
    return columns.scaled("StandardScaler", given, centres, step.scale_)


def _min_max(columns: Columns, step: Any, given: Sequence[Column]) -> list[Column]:
    if step.clip:
        columns.cannot("MinMaxScaler", "clip = True cannot be said")
    return columns.scaled("MinMaxScaler", given, -step.min_ / step.scale_, 1 / step.scale_)


def _max_abs(columns: Columns, step: Any, given: Sequence[Column]) -> list[Column]:
    return columns.scaled("MaxAbsScaler", given, [0.0] * len(given), step.scale_)


def _robust(columns: Columns, step: Any, given: Sequence[Column]) -> list[Column]:
    return columns.scaled("RobustScaler", given, step.center_, step.scale_)


def _imputer(columns: Columns, step: Any, given: Sequence[Column]) -> list[Column]:
    if step.add_indicator:
        columns.cannot("SimpleImputer", "columns that say what was missing cannot be said")
    return columns.filled("SimpleImputer", given, list(step.statistics_))


def _one_hot(columns: Columns, step: Any, given: Sequence[Column]) -> list[Column]:
    if step.drop is not None:
        columns.cannot("OneHotEncoder", f"drop = {step.drop!r} cannot be said: all are kept")
    if getattr(step, "infrequent_categories_", None):
        columns.cannot("OneHotEncoder", "rare categories taken together cannot be said")
    zeros = step.handle_unknown != "error"
    return columns.named("OneHotEncoder", given, step.categories_, "one_hot", zeros)


def _ordinal(columns: Columns, step: Any, given: Sequence[Column]) -> list[Column]:
    if step.handle_unknown != "error":
        columns.cannot("OrdinalEncoder", f"handle_unknown = {step.handle_unknown!r}: refused here")
    return columns.named("OrdinalEncoder", given, step.categories_, "index", False)


STEPS: dict[str, Callable[[Columns, Any, Sequence[Column]], list[Column]]] = {
    "Pipeline": _pipeline,
    "ColumnTransformer": _by_column,
    "StandardScaler": _standard,
    "MinMaxScaler": _min_max,
    "MaxAbsScaler": _max_abs,
    "RobustScaler": _robust,
    "SimpleImputer": _imputer,
    "OneHotEncoder": _one_hot,
    "OrdinalEncoder": _ordinal,
}
"""Class -> what it does to its columns."""
