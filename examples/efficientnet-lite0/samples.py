"""Twenty labelled ImageNet photos as inputs of the model: samples/photo-<number>-<label>.npz.

Decoding, resizing (bicubic, to the size that the model's package states) and scaling are done by
foolbox, whose photos they are. Ours are two numbers only, the range below: this model was trained
on (x - 127) / 128, in which x runs from 0 to 255. (EfficientNet-Lite's builder, MEAN_RGB and
STDDEV_RGB; the README of the PyTorch package shows another model's normalization.)
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

RANGE = ((0 - 127) / 128, (255 - 127) / 128)
FOLDER = Path(__file__).parent / "samples"


def write() -> None:
    """Writes one case per photo, `image`: f32[1, 3, 224, 224]. The same bytes every time."""
    FOLDER.mkdir(exist_ok=True)
    for number, (image, label) in enumerate(zip(*photos(), strict=True)):
        np.savez(FOLDER / f"photo-{number:02}-{label}.npz", image=image[None])


def photos() -> tuple[np.ndarray, np.ndarray]:
    """f32[20, 3, 224, 224] and their 20 labels, as foolbox gives them for this model."""
    # foolbox imports GitPython for its model zoo, which wants a git program unless told otherwise.
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import foolbox
    from efficientnet_lite_pytorch import EfficientNet
    from model import efficientnet_lite0

    size = EfficientNet.get_image_size("efficientnet-lite0")
    model = foolbox.PyTorchModel(efficientnet_lite0(), bounds=RANGE)
    images, labels = foolbox.samples(model, dataset="imagenet", batchsize=20, shape=(size, size))
    return images.cpu().numpy(), labels.cpu().numpy()


if __name__ == "__main__":
    write()
