"""The Swift compiler: what is known before it is fetched. The rest is tests_swift/."""

from __future__ import annotations

import platform

import pytest

from deploy_targets.errors import NotRun
from deploy_targets.integrations import swift
from deploy_targets.workspace import Workspace


def test_on_another_machine_the_systems_own_compiler_is_named(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    with pytest.raises(NotRun, match="on aarch64") as caught:
        swift.find(workspace)
    assert "swift test" in caught.value.hint
