"""Packages from npm's registry: what is said where none can be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets.errors import ToolMissing
from deploy_targets.integrations import npm
from deploy_targets.resources import resource
from deploy_targets.workspace import Workspace


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A registry at a port where nobody listens, and nothing that was fetched before."""
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retry_mintimeout", "10")


@pytest.mark.usefixtures("refused")
def test_without_a_registry_the_reason_is_npms_own(tmp_path: Path) -> None:
    lock = resource("web", "package-lock.json")
    with pytest.raises(ToolMissing, match=r"onnxruntime-web.*reason: connect ECONNREFUSED"):
        npm.package("onnxruntime-web", lock, Workspace(tmp_path / "workspace"))


@pytest.mark.usefixtures("refused")
def test_a_download_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npm, "TIMEOUT", 0.05)
    lock = resource("web", "package-lock.json")
    with pytest.raises(ToolMissing, match="it took more than"):
        npm.package("onnxruntime-web", lock, Workspace(tmp_path / "workspace"))
