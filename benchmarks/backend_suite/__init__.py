"""The `onnx` package's own backend tests, asked of every registered target.

In: the cases that the installed `onnx` brings or generates (`cases.py`). Each becomes a model and
samples on disk and goes the whole way of a build (`trial.py`), in processes that may die
(`sweep.py`); what came of them is counted (`tally.py`) and written as a page (`page.py`).
"""
