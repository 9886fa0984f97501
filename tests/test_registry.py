"""Targets by name, and what is said about a name or an option that does not exist."""

from __future__ import annotations

import subprocess
import sys

import pytest

from deploy_targets import registry
from deploy_targets.errors import ConfigError, UnknownTarget


def test_lambda_is_installed() -> None:
    assert "lambda" in registry.installed()


def test_a_typo_in_a_target_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownTarget, match="no target named 'lamda'") as error:
        registry.load("lamda")
    assert "'lambda'" in error.value.hint


def test_a_name_like_no_other_gets_the_list() -> None:
    with pytest.raises(UnknownTarget) as error:
        registry.load("zzz")
    assert "lambda" in error.value.hint


def test_a_typo_in_an_option_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="no option 'archs'") as error:
        registry.load("lambda", {"archs": "arm64"})
    assert error.value.hint == "did you mean 'arch'?"


def test_a_wrong_value_names_the_option() -> None:
    with pytest.raises(ConfigError, match=r"\[targets.lambda\] memory_mb = 1"):
        registry.load("lambda", {"memory_mb": 1})


@pytest.mark.usefixtures("first_target")
def test_a_third_partys_target_is_loaded_like_a_built_in() -> None:
    target = registry.load("here", {"threads": 2})
    assert target.model_dump() == {"threads": 2, "golden": "samples"}


def test_listing_targets_imports_none() -> None:
    code = (
        "import sys; from deploy_targets import registry; registry.installed();"
        "print([m for m in sys.modules if m.startswith('deploy_targets.targets')])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
