"""What a sandboxed process can see and do, and what is said where there can be no sandbox."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from deploy_targets.errors import NotRun, ToolMissing
from deploy_targets.integrations import bubblewrap
from deploy_targets.integrations.bubblewrap import Sandbox

linux = pytest.mark.skipif(sys.platform != "linux", reason="bubblewrap is a program for Linux")
ROOTED = ("/usr", "/bin", "/lib", "/lib64")


def in_sandbox(script: str, **options: object) -> subprocess.CompletedProcess[str]:
    files = {path: Path(path) for path in ROOTED if Path(path).exists()}
    sandbox = Sandbox(files=files | options.pop("files", {}), environment={"A": "b"}, **options)  # type: ignore[arg-type, operator]
    command = sandbox.command(["/bin/sh", "-c", script])
    return subprocess.run(command, capture_output=True, text=True, check=False)


@linux
def test_the_process_sees_what_it_was_given_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "note").write_text("hello")
    given: dict[str, object] = {"files": {"/given": tmp_path}}
    assert in_sandbox("cat /given/note", **given).stdout == "hello"
    given_or_linux = {"bin", "dev", "given", "lib", "lib64", "proc", "usr"}
    assert set(in_sandbox("ls -A /", **given).stdout.split()) <= given_or_linux


@linux
def test_a_folder_can_be_shown_empty(tmp_path: Path) -> None:
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages" / "numpy").touch()
    ran = in_sandbox(
        "ls -A /given/packages; touch /given/packages/x",
        files={"/given": tmp_path},
        hidden=("/given/packages",),
    )
    assert ran.stdout == ""
    assert "Read-only file system" in ran.stderr


@linux
def test_nothing_can_be_written_but_where_it_is_allowed(tmp_path: Path) -> None:
    ran = in_sandbox(
        "for place in / /given /usr /dev; do touch $place/x; done; touch /tmp/x && echo written",
        files={"/given": tmp_path},
        writable={"/tmp": 1 << 20},
    )
    assert ran.stderr.count("Read-only file system") == 4
    assert ran.stdout == "written\n"
    assert list(tmp_path.iterdir()) == []


@linux
def test_what_may_be_written_has_a_size() -> None:
    ran = in_sandbox("head -c 2000000 /dev/zero > /tmp/x", writable={"/tmp": 1 << 20})
    assert "No space left on device" in ran.stderr


@linux
def test_the_user_the_host_name_and_the_environment_are_those_given() -> None:
    ran = in_sandbox("id -u; id -g; uname -n; env", uid=993, gid=990, hostname="lambda")
    uid, gid, host, *environment = ran.stdout.split()
    assert (uid, gid, host) == ("993", "990", "lambda")
    assert set(environment) - {"PWD=/", "SHLVL=0", "_=/usr/bin/env"} == {"A=b"}


@linux
def test_there_is_no_network_but_loopback() -> None:
    ran = in_sandbox("tail -n +3 /proc/net/dev")
    assert [line.split(":")[0].strip() for line in ran.stdout.splitlines()] == ["lo"]


@linux
def test_the_exit_status_comes_through() -> None:
    assert in_sandbox("exit 7").returncode == 7


def test_another_system_than_linux_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(NotRun, match="needs Linux; this is darwin") as caught:
        bubblewrap.find()
    assert "Linux" in caught.value.hint


@linux
def test_a_missing_bubblewrap_is_told_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="was not found") as caught:
        bubblewrap.find()
    assert "apt-get install bubblewrap" in caught.value.hint


@linux
@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        ("echo bubblewrap 0.6.1", ToolMissing, r"0\.6\.1 is too old; 0\.8 or newer"),
        (
            '[ "$1" = --version ] && echo bubblewrap 0.8.0 && exit; '
            "echo bwrap: No permissions to create new namespace >&2; exit 1",
            NotRun,
            "No permissions to create new namespace",
        ),
    ],
)
def test_a_bubblewrap_that_cannot_work_is_told_before_anything_is_run(
    script: str,
    error: type[Exception],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(error, match=words):
        bubblewrap.find()
