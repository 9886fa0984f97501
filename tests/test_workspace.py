"""The cache: whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets.workspace import Workspace, digest_of


def test_a_folder_is_made_once_per_key(workspace: Workspace) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("hello")

    first = workspace.cached("kind", "key", make)
    assert workspace.cached("kind", "key", make) == first
    assert (len(made), (first / "file").read_text()) == (1, "hello")
    assert workspace.find("kind", "key") == first


def test_a_failure_leaves_nothing(workspace: Workspace) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_text("written")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workspace.cached("kind", "key", fail)
    assert workspace.find("kind", "key") is None
    assert list((workspace.root / "scratch").iterdir()) == []


def test_what_is_stale_is_replaced(workspace: Workspace) -> None:
    for text in ("old", "new"):
        folder = workspace.replace("kind", "key", lambda f, t=text: (f / "file").write_text(t))  # type: ignore[misc]
    assert (folder / "file").read_text() == "new"


def test_digests_tell_parts_apart() -> None:
    assert digest_of("ab", "c") != digest_of("a", "bc")
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    with pytest.raises(TypeError):
        digest_of(object())
