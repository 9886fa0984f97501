"""Fitted estimators of the kinds that people deploy, on data that ships with scikit-learn.

To add one, a line in ESTIMATORS: a name, its data, and a function that gives it unfitted.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn import datasets
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

Numbers = Any
Data = tuple[Numbers, Numbers]


@dataclass(frozen=True)
class Known:
    """An estimator before `fit`, and the data that it is fitted to."""

    data: Callable[[], Data]
    make: Callable[[], Any]

    def fitted(self) -> tuple[Any, Numbers]:
        """The estimator, and the rows that it was fitted to, as float32."""
        rows, wanted = self.data()
        rows = rows.astype(np.float32)
        with warnings.catch_warnings():
            # Whether a fit converged is not what is looked at here.
            warnings.simplefilter("ignore")
            return self.make().fit(rows, wanted), rows


@functools.cache
def packaged(name: str) -> Data:
    """`load_<name>` of scikit-learn."""
    rows, wanted = getattr(datasets, f"load_{name}")(return_X_y=True)
    return rows, wanted


def mixed() -> Data:
    """Wine with two columns of categories, as numbers, and holes in the others."""
    rows, wanted = packaged("wine")
    draw = np.random.default_rng(0)
    kinds = np.stack([np.digitize(rows[:, 0], [12.5, 13.5]), draw.integers(0, 4, len(rows))], 1)
    held = np.where(draw.random(rows[:, 1:7].shape) < 0.1, np.nan, rows[:, 1:7])
    return np.concatenate([kinds, held], 1), wanted


def _columns() -> Any:
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    kinds = OneHotEncoder(handle_unknown="ignore")
    both = ColumnTransformer([("numbers", numbers, list(range(2, 8))), ("kinds", kinds, [0, 1])])
    return make_pipeline(both, LogisticRegression(max_iter=300))


def _svc() -> Any:
    return SVC(probability=True, random_state=0)


_digits = functools.partial(packaged, "digits")
_wine = functools.partial(packaged, "wine")
_cancer = functools.partial(packaged, "breast_cancer")
_diabetes = functools.partial(packaged, "diabetes")

# fmt: off
ESTIMATORS: Mapping[str, Known] = {
    "LogisticRegression, digits": Known(_digits, lambda: LogisticRegression(max_iter=300)),
    "LogisticRegression, wine": Known(_wine, lambda: LogisticRegression(max_iter=300)),
    "StandardScaler + LogisticRegression, cancer": Known(
        _cancer, lambda: make_pipeline(StandardScaler(), LogisticRegression())),
    "RandomForestClassifier(100), digits": Known(
        _digits, lambda: RandomForestClassifier(100, random_state=0)),
    "RandomForestClassifier(100), cancer": Known(
        _cancer, lambda: RandomForestClassifier(100, random_state=0)),
    "GradientBoostingClassifier, wine": Known(
        _wine, lambda: GradientBoostingClassifier(random_state=0)),
    "GradientBoostingClassifier, cancer": Known(
        _cancer, lambda: GradientBoostingClassifier(random_state=0)),
    "HistGradientBoostingClassifier, digits": Known(
        _digits, lambda: HistGradientBoostingClassifier(max_iter=30)),
    "HistGradientBoostingClassifier, cancer": Known(
        _cancer, lambda: HistGradientBoostingClassifier(max_iter=50)),
    "HistGradientBoostingRegressor, diabetes": Known(
        _diabetes, lambda: HistGradientBoostingRegressor(max_iter=100)),
    "SVC(probability), digits": Known(_digits, _svc),
    "StandardScaler + SVC(probability), cancer": Known(
        _cancer, lambda: make_pipeline(StandardScaler(), _svc())),
    "StandardScaler + PCA + SVC(probability), digits": Known(
        _digits, lambda: make_pipeline(StandardScaler(), PCA(20, random_state=0), _svc())),
    "KNeighborsClassifier, digits": Known(_digits, KNeighborsClassifier),
    "StandardScaler + KNeighborsClassifier, cancer": Known(
        _cancer, lambda: make_pipeline(StandardScaler(), KNeighborsClassifier())),
    "MLPClassifier, digits": Known(
        _digits, lambda: MLPClassifier((64,), max_iter=60, random_state=0)),
    "LinearRegression, diabetes": Known(_diabetes, LinearRegression),
    "Ridge, diabetes": Known(_diabetes, Ridge),
    "RandomForestRegressor(100), diabetes": Known(
        _diabetes, lambda: RandomForestRegressor(100, random_state=0)),
    "GaussianNB, wine": Known(_wine, GaussianNB),
    "StandardScaler + GaussianNB, cancer": Known(
        _cancer, lambda: make_pipeline(StandardScaler(), GaussianNB())),
    "KMeans(10), digits": Known(_digits, lambda: KMeans(10, random_state=0, n_init=1)),
    "IsolationForest(50), cancer": Known(
        _cancer, lambda: IsolationForest(n_estimators=50, random_state=0)),
    "ColumnTransformer + LogisticRegression, wine": Known(mixed, _columns),
}
# fmt: on
