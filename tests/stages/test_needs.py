"""What declared steps need where answers are recorded."""

from __future__ import annotations

import importlib.util

import pytest

from deploy_targets.errors import ToolMissing
from deploy_targets.stages.classes import ClassesAfter
from deploy_targets.stages.image import ImageBefore
from deploy_targets.stages.needs import needs, require


def test_what_is_installed_is_enough() -> None:
    require([ImageBefore(type="image"), ClassesAfter(type="classes", activation="none")])
    assert all(need.found for need in needs())


def test_a_missing_package_is_an_error_that_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "PIL" else find(name)
    )
    with pytest.raises(ToolMissing, match="pillow, which is not installed") as error:
        require([ImageBefore(type="image")])
    assert "deploy-targets[image]" in error.value.hint
    require([ClassesAfter(type="classes", activation="none")])
