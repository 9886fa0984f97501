"""What runs in onnx2tf's own environment, which has onnx and not `deploy_targets`.

This folder alone is on its path: the folder above holds names that packages of it have too.
"""
