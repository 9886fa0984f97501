"""What tuned the judge may not score it: the split is frozen, and both sides are there."""

from __future__ import annotations

import hashlib

from benchmarks.parity import split
from benchmarks.parity.architectures.boundary import BOUNDARIES
from benchmarks.parity.corpus import models
from deploy_targets.testing import zoo
from deploy_targets.testing.faults import FAULTS

FROZEN = "4f676e4fb40b646e7509803863045911d57929e86a1459de50c9d7b1e5bbd103"


def test_the_split_is_as_it_was_frozen() -> None:
    assert hashlib.sha256(split.FILE.read_bytes()).hexdigest() == FROZEN


def test_no_model_and_no_fault_is_on_both_sides() -> None:
    frozen = split.read()
    assert not set(frozen.tuning_architectures) & set(frozen.scored_models)
    scored = frozen.scored_faults(FAULTS)
    assert not frozen.tuning_faults & set(scored)
    assert len(scored) + len(frozen.tuning_faults) == len(FAULTS)


def test_every_name_of_the_split_exists() -> None:
    frozen = split.read()
    assert frozen.tuning_faults <= set(FAULTS)
    assert {*frozen.tuning_architectures, *frozen.architectures} == set(BOUNDARIES)
    for name in frozen.zoo:
        assert name in zoo.SPECS or callable(getattr(zoo, name))


def test_the_models_to_score_are_those_of_the_split() -> None:
    frozen = split.read()
    names = models.scored(2)
    assert len(names) == len(set(names)) == 2 * len(frozen.architectures) + 14
    assert not set(names) & set(models.tuning(2))
