"""What bundles for boards have in common: a Python package that proves and serves a model there.

In: an ONNX graph. Out: a folder to copy to a Jetson or a Raspberry Pi, and a runner that asks it on
an emulated ARM. The package's source is `templates/edge/deploy_target_edge/`.
"""
