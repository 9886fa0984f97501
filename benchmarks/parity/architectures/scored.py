"""The ten architectures that only score: nothing of the judge was chosen by looking at them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .boundary import VOCABULARY
from .draw import Draw
from .tuning import Block


class _Vit(nn.Module):
    def __init__(self, wide: int, depth: int, draw: Draw) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, wide, 8, 8)
        self.token, self.place = nn.Parameter(torch.randn(1, 1, wide)), nn.Embedding(17, wide)
        self.blocks = nn.Sequential(*[Block(wide, 4) for _ in range(depth)])
        self.norm, self.head = nn.LayerNorm(wide, eps=1e-6), draw.head(nn.Linear(wide, 50))

    def forward(self, image: Tensor) -> Tensor:
        x = self.patches(image).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.place.weight
        return torch.as_tensor(self.head(self.norm(self.blocks(x))[:, 0]))


def vit(draw: Draw) -> nn.Module:
    """f32[batch,3,32,32] -> logits"""
    return _Vit(draw.one((32, 64)), draw.one((2, 4)), draw)


class _Causal(nn.Module):
    def __init__(self, wide: int) -> None:
        super().__init__()
        self.mix, self.out = nn.Linear(wide, 3 * wide), nn.Linear(wide, wide)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.mix(x).unflatten(-1, (12, -1)).transpose(1, 2).chunk(3, 1)
        y = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        return torch.as_tensor(self.out(y.transpose(1, 2).flatten(2)))


class _Gpt(nn.Module):
    def __init__(self, wide: int, depth: int, draw: Draw) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(VOCABULARY, wide), nn.Embedding(64, wide)
        self.attend = nn.ModuleList([_Causal(wide) for _ in range(depth)])
        self.feed = nn.ModuleList(
            [nn.Sequential(nn.Linear(wide, 2 * wide), nn.GELU("tanh"), nn.Linear(2 * wide, wide))]
            * depth
        )
        self.norms = nn.ModuleList([nn.LayerNorm(wide) for _ in range(2 * depth)])
        self.head = draw.head(nn.Linear(wide, VOCABULARY))

    def forward(self, tokens: Tensor) -> Tensor:
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.embed(tokens) + self.place(places)
        for i, (attend, feed) in enumerate(zip(self.attend, self.feed, strict=True)):
            x = x + attend(self.norms[2 * i](x))
            x = x + feed(self.norms[2 * i + 1](x))
        return torch.as_tensor(self.head(x))


def gpt(draw: Draw) -> nn.Module:
    """i64[batch,time] -> logits"""
    return _Gpt(draw.one((32, 64)), draw.one((1, 2, 3)), draw)


class _ChannelNorm(nn.Module):
    def __init__(self, wide: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(wide, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.norm(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2))


class _ConvNext(nn.Module):
    def __init__(self, wide: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(wide, wide, 7, padding=3, groups=wide),
            _ChannelNorm(wide),
            nn.Conv2d(wide, 4 * wide, 1),
            nn.GELU(),
            nn.Conv2d(4 * wide, wide, 1),
        )
        self.scale = nn.Parameter(0.3 * torch.randn(wide, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(x + self.scale * self.body(x))


class _Embedded(nn.Module):
    def __init__(self, wide: int, depth: int, draw: Draw) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, wide, 4, 4), _ChannelNorm(wide), *[_ConvNext(wide) for _ in range(depth)]
        )
        self.norm, self.head = nn.LayerNorm(wide), draw.head(nn.Linear(wide, 25))

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        y = self.norm(self.body(image).mean((2, 3)))
        return {"embedding": functional.normalize(y, dim=1), "logits": self.head(y)}


def convnext(draw: Draw) -> nn.Module:
    """f32[batch,3,32,32] -> embedding, logits"""
    return _Embedded(draw.one((24, 48)), draw.one((1, 2, 3)), draw)


def autoencoder(draw: Draw) -> nn.Module:
    """f32[batch,1,28,28] -> the image again"""
    wide = draw.one((8, 16))
    return nn.Sequential(
        nn.Conv2d(1, wide, 3, 2, 1),
        nn.PReLU(wide),
        nn.Conv2d(wide, 2 * wide, 3, 2, 1),
        nn.Softplus(),
        nn.Flatten(),
        nn.Linear(2 * wide * 49, 12),
        nn.Tanh(),
        nn.Linear(12, 2 * wide * 49),
        nn.Unflatten(1, (2 * wide, 7, 7)),
        nn.ConvTranspose2d(2 * wide, wide, 3, 2, 1, output_padding=1),
        nn.BatchNorm2d(wide),
        nn.ReLU(),
        nn.ConvTranspose2d(wide, 1, 4, 2, 1),
        nn.Sigmoid(),
    )


class _Pointnet(nn.Module):
    def __init__(self, wide: int, draw: Draw) -> None:
        super().__init__()
        self.each = nn.Sequential(
            nn.Conv1d(3, wide, 1),
            nn.BatchNorm1d(wide),
            nn.ReLU(),
            nn.Conv1d(wide, 2 * wide, 1),
            nn.BatchNorm1d(2 * wide, eps=1e-3),
        )
        self.head = nn.Sequential(
            nn.Linear(2 * wide, wide), nn.ReLU(), draw.head(nn.Linear(wide, 8))
        )

    def forward(self, points: Tensor) -> dict[str, Tensor]:
        most = self.each(points).max(2).values
        return {"logits": self.head(most), "seen": most}


def pointnet(draw: Draw) -> nn.Module:
    """f32[batch,3,time] -> logits, seen: a maximum over all points"""
    return _Pointnet(draw.one((16, 32, 64)), draw)


class _Mix(nn.Module):
    def __init__(self, count: int, wide: int) -> None:
        super().__init__()
        self.first, self.second = nn.LayerNorm(wide), nn.LayerNorm(wide)
        self.places = nn.Sequential(nn.Linear(count, 32), nn.GELU(), nn.Linear(32, count))
        self.channels = nn.Sequential(nn.Linear(wide, 64), nn.GELU(), nn.Linear(64, wide))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.places(self.first(x).transpose(1, 2)).transpose(1, 2)
        return torch.as_tensor(x + self.channels(self.second(x)))


class _Mixer(nn.Module):
    def __init__(self, wide: int, depth: int, draw: Draw) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, wide, 6, 6)
        self.blocks = nn.Sequential(*[_Mix(16, wide) for _ in range(depth)])
        self.head = draw.head(nn.Linear(wide, 12))

    def forward(self, image: Tensor) -> Tensor:
        x = self.patches(image).flatten(2).transpose(1, 2)
        return torch.as_tensor(self.head(self.blocks(x).mean(1)))


def mixer(draw: Draw) -> nn.Module:
    """f32[batch,3,24,24] -> logits"""
    return _Mixer(draw.one((16, 40)), draw.one((1, 2, 3)), draw)


class _LstmAttention(nn.Module):
    def __init__(self, wide: int, draw: Draw) -> None:
        super().__init__()
        self.lstm = nn.LSTM(5, wide, batch_first=True, bidirectional=True)
        self.score = nn.Sequential(nn.Linear(2 * wide, 16), nn.Tanh(), nn.Linear(16, 1))
        self.head = draw.head(nn.Linear(2 * wide, 6))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        y, _ = self.lstm(x)
        attention = self.score(y).softmax(1)
        return {"y": self.head((attention * y).sum(1)), "attention": attention[..., 0]}


def lstm_attention(draw: Draw) -> nn.Module:
    """f32[batch,time,5] -> y, attention"""
    return _LstmAttention(draw.one((8, 20)), draw)


class _Dense(nn.Module):
    def __init__(self, wide: int, grow: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.BatchNorm2d(wide), nn.ReLU(), nn.Conv2d(wide, grow, 3, padding=1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, self.body(x)], 1)


def densenet(draw: Draw) -> nn.Module:
    """f32[batch,3,24,24] -> logits"""
    grow, depth = draw.one((8, 12)), draw.one((2, 4))
    wide = 16 + depth * grow
    return nn.Sequential(
        nn.Conv2d(3, 16, 5, 2, 2),
        *[_Dense(16 + i * grow, grow) for i in range(depth)],
        nn.BatchNorm2d(wide),
        nn.ReLU(),
        nn.AvgPool2d(3, 2, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        draw.head(nn.Linear(wide, 15)),
    )


class _Diffusion(nn.Module):
    def __init__(self, wide: int, draw: Draw) -> None:
        super().__init__()
        self.wide = wide
        self.into, self.second = nn.Conv2d(4, wide, 3, padding=1), nn.Conv2d(wide, wide, 3, 1, 1)
        self.norms = nn.ModuleList([nn.GroupNorm(4, wide) for _ in range(2)])
        self.when = nn.Sequential(nn.Linear(16, wide), nn.SiLU(), nn.Linear(wide, 2 * wide))
        self.out = draw.head(nn.Conv2d(wide, 4, 3, padding=1))

    def forward(self, image: Tensor, step: Tensor) -> Tensor:
        waves = step * torch.exp(-torch.arange(8, device=step.device) * 0.7)
        when = self.when(torch.cat([waves.sin(), waves.cos()], 1))[:, :, None, None]
        scale, shift = when.chunk(2, 1)
        x = self.into(image)
        y = self.norms[0](functional.silu(x)) * (1 + scale) + shift
        y = self.second(functional.silu(self.norms[1](y)))
        return torch.as_tensor(self.out(x + y))


def diffusion_block(draw: Draw) -> nn.Module:
    """f32[batch,4,16,16], f32[batch,1] -> noise"""
    return _Diffusion(draw.one((16, 32)), draw)


class _Detector(nn.Module):
    def __init__(self, wide: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, wide, 3, 2, 1),
            nn.BatchNorm2d(wide),
            nn.SiLU(),
            nn.Conv2d(wide, wide, 3, 2, 1),
            nn.Mish(),
            nn.Conv2d(wide, wide, 3, 2, 1),
            nn.SiLU(),
        )
        self.boxes, self.scores = nn.Conv2d(wide, 4, 1), nn.Conv2d(wide, 7, 1)
        self.level = nn.Conv2d(wide, 1, 1)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        x = self.body(image)
        boxes = (torch.exp(0.5 * self.boxes(x)) * 8192).flatten(2)
        scores = torch.sigmoid(self.scores(x) - 3).flatten(2)
        level = (1e-3 * self.level(x)).mean((2, 3))
        # One tensor of both, as such heads export it: values of 1e4 beside probabilities.
        predictions = torch.cat([boxes, scores], 1).transpose(1, 2)
        return {"predictions": predictions, "level": level, "best": scores.amax(1).argmax(1)}


def detector(draw: Draw) -> nn.Module:
    """f32[batch,3,64,64] -> predictions [batch,64,4 boxes + 7 scores], level, best (an index)"""
    return _Detector(draw.one((12, 24)))
