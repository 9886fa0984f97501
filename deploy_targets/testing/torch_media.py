"""Small PyTorch modules that see and hear: what a detector, a segmenter and an ear give away.

Each answers something that a person can check on a drawing or on a tone, and has seeded layers
beside that, so that no answer is simple. `media_zoo.py` names and builds them. Imported only where
PyTorch is.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

CELL = 8  # pixels to a side


class Detector(nn.Module):
    """Proposes a box around each cell of 8 x 8 pixels, scored by how red, green or blue it is."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 8, 3, 2, 1), nn.ReLU()
        )
        self.sides = nn.Conv2d(8, 4, 3, 2, 1)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        colours = torch.nn.functional.avg_pool2d(image, CELL)
        others = (colours.sum(1, keepdim=True) - colours) / 2
        scores = torch.sigmoid(12 * (colours - others) - 3)
        rows, columns = scores.shape[2:]
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        centres = torch.stack([x, y, x, y]).flatten(1).T * CELL + CELL / 2
        # Each side lies 8 to 16 pixels from the centre, so that neighbours overlap by about half.
        away = CELL + CELL * torch.sigmoid(self.sides(self.backbone(image))).flatten(2).transpose(
            1, 2
        )
        boxes = centres + away * torch.tensor([-1.0, -1.0, 1.0, 1.0])
        return {"boxes": boxes, "scores": scores.flatten(2).transpose(1, 2)}


class Segmenter(nn.Module):
    """Scores of nothing, red, green and blue, at half the size of the image."""

    def __init__(self) -> None:
        super().__init__()
        self.texture = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.ReLU(), nn.Conv2d(6, 4, 1))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        colours = torch.nn.functional.avg_pool2d(image, 2)
        others = (colours.sum(1, keepdim=True) - colours) / 2
        nothing = torch.full_like(colours[:, :1], 0.2)
        plain = torch.cat([nothing, colours - others], 1)
        return {"mask": 8 * plain + self.texture(image)}


class Eye(nn.Module):
    """Both of them: boxes, scores and mask of one image."""

    def __init__(self) -> None:
        super().__init__()
        self.detector, self.segmenter = Detector(), Segmenter()

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self.detector(image)
        return {**found, **self.segmenter(image)}


class Ear(nn.Module):
    """What sounds, and the letters of each step in time, from log-mel [batch, mels, time]."""

    def __init__(self, mels: int = 32) -> None:
        super().__init__()
        self.features = nn.Conv1d(mels, 24, 3, padding=1)
        self.kind = nn.Linear(24, 4)
        self.letter = nn.Linear(24, 6)

    def forward(self, sound: Tensor) -> dict[str, Tensor]:
        heard = torch.tanh(self.features(sound))
        return {"kind": self.kind(heard.mean(2)), "letters": 4 * self.letter(heard.transpose(1, 2))}
