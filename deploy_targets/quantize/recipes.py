"""The precisions, as data. A target lists in `recipes` the names of those it can carry."""

from __future__ import annotations

from deploy_targets.records import Recipe

RECIPES = {recipe.name: recipe for recipe in (Recipe("fp32"),)}
