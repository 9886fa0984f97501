"""Trains a random forest on scikit-learn's digits: forest.onnx and digits.npz in the folder."""

import sys
from pathlib import Path

import numpy as np
from skl2onnx import to_onnx
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier

folder = Path(sys.argv[1])
x, y = load_digits(return_X_y=True)
x = x.astype(np.float32)
forest = RandomForestClassifier(40, max_depth=10, random_state=0).fit(x[:1500], y[:1500])
graph = to_onnx(forest, x[:1], options={id(forest): {"zipmap": False}})
graph.graph.input[0].name = "x"
for node in graph.graph.node:
    node.input[:] = ["x" if name == "X" else name for name in node.input]
(folder / "forest.onnx").write_bytes(graph.SerializeToString())
np.savez(folder / "digits.npz", x=x[1500:1508])
