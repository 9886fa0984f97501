"""What `doctor` says of the tflite target."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets.targets.tflite.target import Tflite


def test_what_is_missing_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    needs = {need.tool: need for need in Tflite.needs()}
    for tool in ("qemu-aarch64", "apt-get and dpkg-deb"):
        assert needs[tool].found is None
        assert needs[tool].hint
    assert needs["flatbuffers"].found
    assert all(need.purpose for need in needs.values())
