"""An ONNX graph, operator by operator, as TensorFlow computes it, and then as TF.js holds it.

This package runs in an environment of its own, which has TensorFlow and not `deploy_targets`:
its modules import each other, numpy, onnx, tensorflow and tensorflowjs alone. `graph_model.py` is
where it is entered. To add an operator, write its function in one of the modules of operators.

Why not a converter from elsewhere: those that were tried guess at which axis holds channels and
are wrong without a word on rank-3 inputs and dynamic lengths. Here no layout is guessed: a value
is what ONNX says it is, and `Value` remembers where it also lies with its channels last.
"""
