"""The frameworks from which models are loaded, for `doctor`."""

from __future__ import annotations

from deploy_targets.needs import Need, package


def needs() -> tuple[Need, ...]:
    """Found or not; none is imported."""
    return (
        package("torch", "runs and captures PyTorch modules, .pt2 files and TorchScript", "torch"),
        package("onnxscript", "captures them as ONNX", "torch"),
        package("onnxruntime", "runs .onnx files as the reference", "onnx"),
        package("scikit-learn", "runs its estimators as the reference", "sklearn"),
        package("skl2onnx", "captures them as ONNX", "sklearn"),
        _tensorflow(),
        package("tf2onnx", "captures them as ONNX", "tensorflow"),
    )


def _tensorflow() -> Need:
    """Under whichever of its names it was installed."""
    why = "runs SavedModels and Keras models as the reference"
    found = [package(name, why, "tensorflow") for name in ("tensorflow", "tensorflow-cpu")]
    return next((need for need in found if need.found), found[0])
