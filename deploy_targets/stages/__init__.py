"""What happens before and after the model, declared once and compiled into every target.

tables.py    which tables there are; a file for each: image, audio, table, classes, boxes, …
base.py      what each of them says of itself: its steps, its port, raw inputs that are awkward
host/        the steps in Python, from bytes and to words; it travels into bundles
graphs/      the steps that can be a graph, in ONNX
plan.py      which step runs on the host and which in the graph, for one target
compose.py   the original with its steps around it: a Model whose answers are golden
"""
