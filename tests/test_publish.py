"""Bundles appear by a rename, and nothing else is ever replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy_targets import bundle as bundles
from deploy_targets import publish
from deploy_targets.errors import ConfigError
from deploy_targets.records import Bundle
from deploy_targets.verdicts import ParityReport, Row, Verdict

from .test_bundle import check, manifest


def sealed(folder: Path, text: str = "weights") -> Bundle:
    folder.mkdir(parents=True)
    (folder / "model.bin").write_text(text)
    bundles.write_golden(folder, [check()])
    return bundles.seal(folder, manifest(), {"model.bin": "model"})


def test_a_bundle_replaces_an_older_one_and_what_was_refused(tmp_path: Path) -> None:
    out = tmp_path / "out"
    sealed(out, "old")
    (tmp_path / "out.refused").mkdir()
    with publish.workshop(out) as shop:
        moved = publish.move(sealed(shop / "new", "new"), out)
    assert (moved.path, (out / "model.bin").read_text()) == (out, "new")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_folder_that_is_no_bundle_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is no bundle, so it will not be replaced"):
        publish.check_out(tmp_path)
    (tmp_path / "empty").mkdir()
    publish.check_out(tmp_path / "empty")
    publish.check_out(tmp_path / "absent")
    with pytest.raises(ConfigError):
        publish.check_out(tmp_path / "precious.txt")


def test_an_interruption_leaves_the_older_bundle(tmp_path: Path) -> None:
    out = tmp_path / "out"
    sealed(out, "old")

    def interrupted() -> None:
        with publish.workshop(out) as shop:
            sealed(shop / "new", "half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (out / "model.bin").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_an_interruption_between_two_renames_brings_the_older_bundle_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, rename = tmp_path / "out", Path.rename
    sealed(out, "old")

    def interrupted(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", interrupted)

    def publishing() -> None:
        with publish.workshop(out) as shop:
            publish.move(sealed(shop / "new", "new"), out)

    with pytest.raises(KeyboardInterrupt):
        publishing()
    assert (out / "model.bin").read_text() == "old"


def test_a_copy_leaves_what_is_already_there_alone_and_mends_what_is_not(tmp_path: Path) -> None:
    cached = sealed(tmp_path / "cache")
    bundles.write_report(cached, ParityReport(bundles.digest(cached), ()))
    out = tmp_path / "out"
    publish.copy(cached, out)
    inode = (out / "model.bin").stat().st_ino
    publish.copy(cached, out)
    assert (out / "model.bin").stat().st_ino == inode
    (out / "model.bin").write_text("changed")
    publish.copy(cached, out)
    assert (out / "model.bin").read_text() == "weights"
    assert (out / "model.bin").stat().st_nlink == 1, "copied, never linked"


def test_what_is_refused_is_kept_beside(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with publish.workshop(out) as shop:
        kept = publish.keep_refused(sealed(shop / "bad"), out)
    assert kept == tmp_path / "out.refused"
    assert bundles.open_bundle(kept).manifest.name == "tiny"
    assert not out.exists()


def test_a_folder_of_somebodys_where_refused_ones_are_kept_is_never_removed(tmp_path: Path) -> None:
    precious = tmp_path / "out.refused"
    precious.mkdir()
    (precious / "precious.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"out\.refused exists and is no bundle"):
        publish.check_out(tmp_path / "out")


def test_a_cached_copy_does_not_take_over_a_failed_report(tmp_path: Path) -> None:
    cached = sealed(tmp_path / "cache")
    bundles.write_report(cached, ParityReport(bundles.digest(cached), ()))
    there = publish.copy(cached, tmp_path / "out")
    row = Row("here", "tensors", Verdict.FAIL, "somewhere")
    bundles.write_report(there, ParityReport(bundles.digest(there), (row,)))
    publish.copy(cached, tmp_path / "out")
    report = bundles.read_report(there)
    assert report is not None
    assert report.rows == ()
