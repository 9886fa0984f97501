"""What goes into each architecture and what its outputs mean; read without importing PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

from deploy_targets.records import TensorSpec


@dataclass(frozen=True)
class Boundary:
    """Inputs as declared, and (name, kind) of each output."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[tuple[str, str], ...]


def _boundary(*inputs: TensorSpec, **outputs: str) -> Boundary:
    return Boundary(inputs, tuple(outputs.items()))


def _floats(name: str, *shape: int | str, **rest: tuple[float, float]) -> TensorSpec:
    return TensorSpec(name, "float32", ("batch", *shape), **rest)


VOCABULARY = 40
_TOKENS = TensorSpec("tokens", "int64", ("batch", "time"), range=(0, VOCABULARY - 1))

BOUNDARIES = {
    # tuning
    "mlp": _boundary(_floats("x", 24), logits="classifier"),
    "resnet": _boundary(_floats("image", 3, 32, 32), logits="classifier"),
    "mobilenet": _boundary(_floats("image", 3, 32, 32, range=(-1.0, 1.0)), probabilities="plain"),
    "unet": _boundary(_floats("image", 1, 24, 24), mask="plain"),
    "encoder": _boundary(_floats("x", "time", 12), features="plain", probabilities="plain"),
    "gru": _boundary(_floats("x", "time", 6), y="plain", last="plain"),
    "tcn": _boundary(_floats("x", 4, "time"), y="plain"),
    "conv3d": _boundary(_floats("clip", 2, 6, 12, 12), y="plain"),
    # scored
    "vit": _boundary(_floats("image", 3, 32, 32), logits="classifier"),
    "gpt": _boundary(_TOKENS, logits="plain"),
    "convnext": _boundary(_floats("image", 3, 32, 32), embedding="plain", logits="classifier"),
    "autoencoder": _boundary(_floats("image", 1, 28, 28, range=(0.0, 1.0)), again="plain"),
    "pointnet": _boundary(_floats("points", 3, "time"), logits="plain", seen="plain"),
    "mixer": _boundary(_floats("image", 3, 24, 24), logits="plain"),
    "lstm_attention": _boundary(_floats("x", "time", 5), y="plain", attention="plain"),
    "densenet": _boundary(_floats("image", 3, 24, 24), logits="plain"),
    "diffusion_block": _boundary(_floats("image", 4, 16, 16), _floats("step", 1), noise="plain"),
    "detector": _boundary(
        _floats("image", 3, 64, 64), predictions="plain", level="plain", best="plain"
    ),
}
