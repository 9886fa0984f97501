"""Packages for a child alone: what the lock may hold, and where it can be had."""

from __future__ import annotations

import platform

import pytest

from deploy_targets.errors import ToolMissing
from deploy_targets.integrations import beside
from deploy_targets.workspace import Workspace


def test_no_lock_brings_a_second_pytorch() -> None:
    lines = (beside.LOCKS / "litert_torch.txt").read_text().splitlines()
    names = {line.partition("==")[0] for line in lines if "==" in line and line[0].isalpha()}
    assert {"litert-torch", "litert-converter", "ai-edge-litert"} <= names
    assert not names & {"torch", "triton", "numpy", "pydantic", "typing-extensions"}
    assert not [name for name in names if name.startswith(("nvidia", "cuda"))]


def test_a_machine_that_it_is_not_made_for_is_told(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "s390x")
    with pytest.raises(ToolMissing, match=r"litert-torch is not made for \w+ s390x") as refused:
        beside.folder("litert_torch", workspace)
    assert "Linux x86_64" in refused.value.hint
