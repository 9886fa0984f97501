"""The eight architectures that the judge may be tuned by. Each takes a `Draw`, gives a module."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .draw import Draw


def mlp(draw: Draw) -> nn.Module:
    """f32[batch,24] -> logits"""
    width = draw.one((32, 64, 256))
    return nn.Sequential(
        nn.Linear(24, width),
        nn.ReLU(),
        nn.Linear(width, width),
        nn.Tanh(),
        draw.head(nn.Linear(width, 10)),
    )


def _conv(wide: int, out: int, size: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    kernel = nn.Conv2d(wide, out, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(kernel, nn.BatchNorm2d(out))


class _Residual(nn.Module):
    def __init__(self, wide: int, out: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_conv(wide, out, 3, stride), nn.ReLU(), _conv(out, out))
        self.short = _conv(wide, out, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.body(x) + self.short(x))


def resnet(draw: Draw) -> nn.Module:
    """f32[batch,3,32,32] -> logits"""
    wide = draw.one((16, 32))
    blocks = [_Residual(wide, wide, 1) for _ in range(draw.one((1, 2, 4)))]
    return nn.Sequential(
        _conv(3, wide),
        nn.ReLU(),
        nn.MaxPool2d(3, 2, 1),
        *blocks,
        _Residual(wide, 2 * wide, 2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        draw.head(nn.Linear(2 * wide, 20)),
    )


class _Inverted(nn.Module):
    def __init__(self, wide: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv(wide, 4 * wide, 1),
            nn.ReLU6(),
            _conv(4 * wide, 4 * wide, 3, groups=4 * wide),
            nn.ReLU6(),
            _conv(4 * wide, wide, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(x + self.body(x))


def mobilenet(draw: Draw) -> nn.Module:
    """f32[batch,3,32,32] -> probabilities"""
    wide = draw.one((8, 16))
    return nn.Sequential(
        _conv(3, wide, 3, 2),
        nn.ReLU6(),
        *[_Inverted(wide) for _ in range(draw.one((2, 3, 5)))],
        nn.Hardswish(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(wide, 30),
        nn.Softmax(-1),
    )


class _Unet(nn.Module):
    def __init__(self, wide: int, draw: Draw) -> None:
        super().__init__()
        self.down = nn.Sequential(_conv(1, wide), nn.LeakyReLU(0.1), _conv(wide, wide), nn.SiLU())
        self.middle = nn.Sequential(_conv(wide, 2 * wide, 3, 2), nn.ReLU())
        self.deep = nn.Sequential(_conv(2 * wide, 2 * wide, 3, 2), nn.ReLU())
        self.up = nn.ConvTranspose2d(2 * wide, 2 * wide, 2, 2)
        self.head = draw.head(nn.Conv2d(3 * wide, 2, 1))

    def forward(self, x: Tensor) -> Tensor:
        fine = self.down(x)
        middle = self.middle(fine)
        up = torch.relu(self.up(self.deep(middle)) + middle)
        wide = functional.interpolate(up, scale_factor=2.0, mode="bilinear", align_corners=False)
        return torch.as_tensor(self.head(torch.cat([fine, wide], 1)))


def unet(draw: Draw) -> nn.Module:
    """f32[batch,1,24,24] -> mask"""
    return _Unet(draw.one((8, 16)), draw)


class _Attention(nn.Module):
    def __init__(self, wide: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.mix, self.out = nn.Linear(wide, 3 * wide), nn.Linear(wide, wide)

    def forward(self, x: Tensor) -> Tensor:
        parts = self.mix(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        weights = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1)
        return torch.as_tensor(self.out((weights @ value).transpose(1, 2).flatten(2)))


class Block(nn.Module):
    """A layer of a transformer, normalised before."""

    def __init__(self, wide: int, heads: int) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(wide), nn.LayerNorm(wide)
        self.attention = _Attention(wide, heads)
        self.feed = nn.Sequential(nn.Linear(wide, 4 * wide), nn.GELU(), nn.Linear(4 * wide, wide))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.first(x))
        return torch.as_tensor(x + self.feed(self.second(x)))


class _Encoder(nn.Module):
    def __init__(self, wide: int, depth: int, draw: Draw) -> None:
        super().__init__()
        self.embed = nn.Linear(12, wide)
        self.blocks = nn.Sequential(*[Block(wide, 4) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(wide), nn.Linear(wide, 9)
        self.features = draw.head(nn.Linear(wide, 16))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        y = self.norm(self.blocks(self.embed(x)))
        return {"features": self.features(y), "probabilities": self.head(y).softmax(-1)}


def encoder(draw: Draw) -> nn.Module:
    """f32[batch,time,12] -> features, probabilities"""
    return _Encoder(draw.one((32, 64)), draw.one((1, 2, 4)), draw)


class _Gru(nn.Module):
    def __init__(self, wide: int, draw: Draw) -> None:
        super().__init__()
        self.gru = nn.GRU(6, wide, num_layers=2, batch_first=True, bidirectional=True)
        self.head = draw.head(nn.Linear(2 * wide, 4))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        y, _ = self.gru(x)
        return {"y": self.head(y), "last": y[:, -1]}


def gru(draw: Draw) -> nn.Module:
    """f32[batch,time,6] -> y, last"""
    return _Gru(draw.one((8, 24)), draw)


class _Causal(nn.Module):
    def __init__(self, wide: int, dilation: int) -> None:
        super().__init__()
        self.pad = 2 * dilation
        self.conv = nn.Conv1d(wide, 2 * wide, 3, dilation=dilation)
        self.norm, self.out = nn.BatchNorm1d(wide), nn.Conv1d(wide, wide, 1)

    def forward(self, x: Tensor) -> Tensor:
        y, gate = self.conv(functional.pad(x, (self.pad, 0))).chunk(2, 1)
        return torch.as_tensor(x + self.out(self.norm(torch.tanh(y) * torch.sigmoid(gate))))


def tcn(draw: Draw) -> nn.Module:
    """f32[batch,4,time] -> y"""
    wide = draw.one((12, 24))
    layers = [_Causal(wide, 2**i) for i in range(draw.one((2, 3)))]
    return nn.Sequential(nn.Conv1d(4, wide, 1), *layers, draw.head(nn.Conv1d(wide, 3, 1)))


def conv3d(draw: Draw) -> nn.Module:
    """f32[batch,2,6,12,12] -> y"""
    wide = draw.one((8, 16))
    return nn.Sequential(
        nn.Conv3d(2, wide, 3, padding=1, bias=False),
        nn.BatchNorm3d(wide),
        nn.ELU(),
        nn.MaxPool3d((1, 2, 2)),
        nn.Conv3d(wide, wide, 3, padding=1),
        nn.ReLU(),
        draw.head(nn.Conv3d(wide, 3, 1)),
    )
