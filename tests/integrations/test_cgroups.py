"""Limits hold, and leave nothing behind."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from deploy_targets.integrations import cgroups

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="cgroups are a thing of Linux")
MB = 1 << 20
HOG = "x = bytearray({} << 20); print(len(x))"


def run(limits: cgroups.Limits, code: str) -> subprocess.CompletedProcess[str]:
    command = limits.command([sys.executable, "-S", "-c", code])
    return subprocess.run(command, capture_output=True, text=True, check=False)


def folders(limits: cgroups.Limits) -> list[Path]:
    return list(limits.groups.values())


def test_a_process_within_its_memory_runs_and_one_beyond_it_does_not() -> None:
    with cgroups.limited(64 * MB, None) as limits:
        assert run(limits, HOG.format(20)).stdout == f"{20 * MB}\n"
        assert limits.kills_for_memory() in (0, None)
        assert run(limits, HOG.format(100)).returncode != 0
        # None only where RLIMIT_DATA stands in: then the program sees a MemoryError.
        assert limits.kills_for_memory() == (1 if "memory" in limits.groups else None)


def test_memory_is_limited_without_a_group_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cgroups, "_parents", lambda controller: iter(()))
    with cgroups.limited(64 * MB, 0.5) as limits:
        assert run(limits, HOG.format(20)).stdout == f"{20 * MB}\n"
        assert "MemoryError" in run(limits, HOG.format(100)).stderr
        assert limits.kills_for_memory() is None
        memory, cpu = limits.notes
    assert "each process alone is held to 64 MB" in memory
    assert "CPU could not be limited to 0.50 cores" in cpu


def test_a_share_of_a_core_is_about_that_share() -> None:
    busy = (
        "import time; s = time.time(); c = time.process_time()\nwhile time.time() < s + 0.6: pass"
    )
    with cgroups.limited(None, 0.25) as limits:
        if "cpu" not in limits.groups:
            pytest.skip("; ".join(limits.notes))
        ran = run(limits, f"{busy}\nprint((time.process_time() - c) / (time.time() - s))")
    assert 0.1 < float(ran.stdout) < 0.4


def test_no_limit_asked_is_no_group_made() -> None:
    with cgroups.limited(None, None) as limits:
        assert (limits.groups, limits.data_bytes, limits.notes) == ({}, None, ())


@pytest.mark.parametrize("end", [KeyboardInterrupt, RuntimeError, None])
def test_groups_are_removed_however_the_block_ends(end: type[BaseException] | None) -> None:
    made: list[Path] = []

    def work() -> None:
        with cgroups.limited(64 * MB, 1.0) as limits:
            made.extend(folders(limits))
            assert all(folder.is_dir() for folder in made)
            if end:
                raise end

    with pytest.raises(end) if end else nullcontext():
        work()
    assert not any(folder.exists() for folder in made)


def test_what_is_left_running_is_killed_with_the_group() -> None:
    with cgroups.limited(64 * MB, None) as limits:
        if not limits.groups:
            pytest.skip("; ".join(limits.notes))
        left = subprocess.Popen(limits.command(["/bin/sleep", "60"]))
        procs = limits.groups["memory"] / "cgroup.procs"
        until = time.monotonic() + 5
        while str(left.pid) not in procs.read_text().split() and time.monotonic() < until:
            time.sleep(0.01)
    assert left.wait(5) == -9
    assert not procs.parent.exists()


def test_the_group_of_a_maker_that_was_killed_is_removed_by_the_next() -> None:
    code = (
        "import os, signal; from deploy_targets.integrations import cgroups\n"
        "with cgroups.limited(1 << 26, None) as limits:\n"
        "    print(*limits.groups.values(), flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    killed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert killed.returncode == -9
    left = [Path(word) for word in killed.stdout.split()]
    assert all(folder.exists() for folder in left)
    with cgroups.limited(64 * MB, None):
        assert not any(folder.exists() for folder in left)


def test_version_2_is_used_where_its_controllers_are_handed_down(tmp_path: Path) -> None:
    tree, proc = tmp_path / "cgroup", tmp_path / "proc"
    own = tree / "user.slice" / "app.slice" / "shell.scope"
    own.mkdir(parents=True)
    proc.mkdir()
    (proc / "cgroup").write_text("0::/user.slice/app.slice/shell.scope\n")
    (proc / "mountinfo").write_text(
        "22 1 0:21 / /proc rw - proc proc rw\n"
        f"30 24 0:26 / {tree} rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
    )
    (own / "cgroup.subtree_control").write_text("\n")
    (own.parent / "cgroup.subtree_control").write_text("memory pids\n")
    (own.parent.parent / "cgroup.subtree_control").write_text("cpu memory pids\n")
    assert list(cgroups._parents("memory", proc)) == [own.parent, own.parent.parent]
    assert list(cgroups._parents("cpu", proc)) == [own.parent.parent]


def test_version_2_is_told_its_limits_in_its_own_words(tmp_path: Path) -> None:
    for file in ("memory.max", "memory.swap.max", "cpu.max"):
        (tmp_path / file).touch()
    for versions in cgroups._settings(64 * MB, 0.25).values():
        assert any(cgroups._apply(tmp_path, settings) for settings in versions)
    written = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert written == {
        "memory.max": str(64 * MB),
        "memory.swap.max": "0",
        "cpu.max": "5000 20000",
    }
