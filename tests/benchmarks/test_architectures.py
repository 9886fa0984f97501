"""The small models of the benchmark are seeded, differ by seed, and answer every declared shape."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks.parity import architectures
from benchmarks.parity.architectures.boundary import BOUNDARIES
from deploy_targets import frontends
from deploy_targets.parity.cases import questions


def weights(name: str, seed: int) -> list[torch.Tensor]:
    return list(architectures.build(name, seed).state_dict().values())


def test_a_seed_draws_the_same_weights_every_time_and_another_seed_others() -> None:
    first, again, other = weights("mlp", 0), weights("mlp", 0), weights("mlp", 1)
    assert all(torch.equal(one, two) for one, two in zip(first, again, strict=True))
    assert any(
        one.shape != two.shape or not torch.equal(one, two)
        for one, two in zip(first, other, strict=True)
    )


def test_no_norm_is_left_as_it_was_made() -> None:
    for part in architectures.build("resnet", 0).modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            assert part.running_mean is not None
            assert part.running_mean.abs().min() > 0
            assert part.bias.abs().min() > 0


@pytest.mark.parametrize("name", BOUNDARIES)
def test_an_architecture_answers_finitely_at_every_size_and_not_the_same_twice(name: str) -> None:
    model = frontends.load(architectures.spec(name, 0))
    asked = questions(model.signature, {})
    said = [model.run(question.inputs) for question in asked]
    for answers in said:
        assert all(np.isfinite(array).all() for array in answers.values())
    for array in said[-1].values():
        assert array.dtype.kind != "f" or np.ptp(array) > 0
