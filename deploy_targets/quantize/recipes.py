"""The precisions, as data. A target lists in `recipes` the names of those it can carry."""

from __future__ import annotations

from deploy_targets.records import Recipe

FP32 = Recipe("fp32")
FP16 = Recipe("fp16", weights="float16", budget=0.01)
"""Weights rounded to 11 bits, arithmetic in float32: EfficientNet-Lite0 strays by 4e-3 on noise."""
RECIPES = {recipe.name: recipe for recipe in (FP32, FP16)}
