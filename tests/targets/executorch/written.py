"""The model of these tests, and a wrong weight in a file that was made of a model."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch

from deploy_targets import api, config
from deploy_targets import bundle as bundles
from deploy_targets.frontends.source import SourceSpec
from deploy_targets.records import Bundle
from deploy_targets.testing import media_zoo


def eye(folder: Path) -> SourceSpec:
    """As media_zoo declares it for a user, without the steps around it."""
    media_zoo.write(folder, "eye")
    return api.spec_of(config.read(folder / "deploy.toml"))


def one_weight_changed(right: Bundle, to: Path) -> Bundle:
    """A sealed copy in whose model.pte one weight of the eye is wrong."""
    shutil.copytree(right.path, to)
    (to / "model.pte").write_bytes(spoilt((to / "model.pte").read_bytes(), media_zoo.eye()))
    roles = {name: record.role for name, record in right.manifest.files.items()}
    return bundles.seal(to, right.manifest, roles)


def spoilt(held: bytes, model: torch.nn.Module) -> bytes:
    """A .pte of the model, with the largest weight of its largest layer off by a twentieth."""
    for weight in sorted(model.parameters(), key=torch.numel, reverse=True):
        own = weight.detach()
        # XNNPACK has the channels of a convolution last.
        lies = [own, own.permute(0, 2, 3, 1).contiguous()] if own.ndim == 4 else [own]
        for each in lies:
            if held.count(each.numpy().tobytes()) == 1:
                wrong = each.clone()
                wrong.view(-1)[each.abs().argmax()] *= 1.05
                return held.replace(each.numpy().tobytes(), wrong.numpy().tobytes())
    raise AssertionError("the file holds no weight as it is in the model")
