"""Passes on ONNX graphs, one per file. In: a ModelProto, which is changed in place.

To add one: a file with one public function that takes a `ModelProto`, and a test beside the
others in tests/graph. A pass states what it leaves alone.

Beside them, and changing nothing, what looks into graphs: tap.py (all values as outputs), cut.py
(parts that run by themselves), align.py and unlike.py (two graphs side by side), modules.py.
"""
