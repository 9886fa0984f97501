"""Somebody's own preprocessing, as the table of deploy.toml that says the same.

In: an object that was found in the user's code. Out: a `Found`, or None where it is of no form that
is known here. Forms are told by the names of classes and by attributes: no library is imported for
it. To add a form: a file with a `recognise` beside these, and its name in `FORMS`.
"""

from __future__ import annotations

from importlib import import_module

from deploy_targets.recognising.found import Found

FORMS = ("torchvision", "timm", "huggingface", "sklearn")
KNOWN = (
    "a torchvision or timm transform, timm's data_config, an image processor of transformers or "
    "its settings, a fitted scikit-learn scaler, imputer, encoder, or several in a Pipeline or "
    "ColumnTransformer"
)


def recognise(thing: object) -> Found | None:
    """The first form that it is of."""
    for form in FORMS:
        if found := import_module(f"{__name__}.{form}").recognise(thing):
            assert isinstance(found, Found)
            return found
    return None


__all__ = ["KNOWN", "Found", "recognise"]
