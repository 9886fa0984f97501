"""Converters, a file per pair, used by frontends and by any target.

In: a model or a graph on disk. Out: files in a folder. Each runs in a child process with a time
limit (integrations/worker.py): a crash is ConversionFailed, and the next way is tried.
"""
