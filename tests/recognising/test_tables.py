"""Fitted estimators of scikit-learn, and the table that each becomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, PolynomialFeatures, StandardScaler

from deploy_targets.errors import ConfigError
from deploy_targets.recognising import recognise
from deploy_targets.records import TensorSpec
from deploy_targets.stages.compose import before
from deploy_targets.stages.rows import TableBefore

DRAW = np.random.default_rng(0)
NUMBERS = DRAW.normal(3, 5, (40, 3))
MIXED = np.array([[*row, "abcd"[i % 4]] for i, row in enumerate(NUMBERS.tolist())], object)


def mixed(**options: Any) -> ColumnTransformer:
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    parts = [("one", OneHotEncoder(**options), [3]), ("two", scaled, [2, 0])]
    return ColumnTransformer(parts).fit(MIXED)


@pytest.mark.parametrize(
    "estimator",
    [
        StandardScaler().fit(NUMBERS),
        StandardScaler(with_mean=False).fit(NUMBERS),
        MinMaxScaler((-1, 1)).fit(NUMBERS),
        make_pipeline(SimpleImputer(), StandardScaler(), MinMaxScaler()).fit(NUMBERS),
        mixed(),
        mixed(handle_unknown="ignore"),
    ],
    ids=["standard", "no-mean", "min-max", "pipeline", "columns", "unknown"],
)
def test_the_table_does_what_the_estimator_does(estimator: Any) -> None:
    one = recognise(estimator)
    assert one is not None
    assert one.call is not None
    table = TableBefore.model_validate(one.table)
    tensor = TensorSpec("x", "float32", ("rows", table.width()))
    table.check(tensor)
    made = list(table.made(tensor))
    assert len(made) >= 6
    for raw in made:
        got = before(table.stages(tensor, Path()), raw.data, {})
        want = one.call(table.given(raw.data)).astype(np.float32)
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_the_names_of_columns_are_those_that_it_was_fitted_with() -> None:
    scaler = StandardScaler().fit(NUMBERS)
    one = recognise(scaler)
    assert one is not None
    assert one.left_out == ("columns: it was fitted without their names: correct x0, x1, …",)
    # As it is where it was fitted with a frame.
    scaler.feature_names_in_ = np.array(["age", "height", "pulse"], object)
    one = recognise(scaler)
    assert one is not None
    assert (one.table["columns"], one.left_out) == (["age", "height", "pulse"], ())


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (make_pipeline(StandardScaler(), PolynomialFeatures()).fit(NUMBERS), "PolynomialFeatures"),
        (mixed(drop="first"), "drop = 'first' cannot be said"),
        (MinMaxScaler(clip=True).fit(NUMBERS), "clip = True cannot be said"),
    ],
)
def test_what_no_table_can_say_is_left_out_by_name(estimator: Any, said: str) -> None:
    one = recognise(estimator)
    assert one is not None
    assert any(said in left for left in one.left_out)


def test_a_model_is_no_transform() -> None:
    target = (NUMBERS[:, 0] > 3).astype(int)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(NUMBERS, target)
    with pytest.raises(ConfigError, match="LogisticRegression is a model"):
        recognise(pipeline)
    with pytest.raises(ConfigError, match="not fitted"):
        recognise(StandardScaler())
