"""An arm64 Debian without root, and the emulator that runs its programs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy_targets.errors import NotRun, ToolMissing
from deploy_targets.integrations import qemu
from deploy_targets.workspace import Workspace

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="QEMU emulates single programs on Linux only"
)


def test_a_missing_emulator_is_told_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="qemu-aarch64") as caught:
        qemu.find()
    assert "apt-get install qemu-user-static" in caught.value.hint


def test_an_emulator_that_needs_libraries_of_the_host_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy("/bin/true", tmp_path / "qemu-aarch64")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing, match="statically linked"):
        qemu.find()


def test_the_emulator_knows_every_processor_that_we_name() -> None:
    emulator = qemu.find()
    said = subprocess.run([emulator.path, "-cpu", "help"], capture_output=True, text=True)
    assert set(qemu.CPUS) <= set(said.stdout.split())
    assert emulator.version[0].isdigit()


def test_each_processor_has_its_own_part_number() -> None:
    parts = {qemu.cpuinfo(cpu).partition("CPU part\t: ")[2][:5] for cpu in qemu.CPUS}
    assert len(parts) == len(qemu.CPUS)
    assert "GenuineIntel" not in qemu.cpuinfo("neoverse-n1")


def test_a_system_is_unpacked_merged_and_made_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = qemu.rootfs(["zlib1g"], "bookworm", workspace)
    assert (root / "lib").readlink() == Path("usr/lib")
    assert (root / "usr/lib/aarch64-linux-gnu/libz.so.1").exists()
    # bookworm's libc is packed below /lib, and is to lie where it would be after installation.
    loader = root / "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1"
    assert loader.read_bytes()[18] == 0xB7  # e_machine: AArch64
    assert qemu.package_version(root, "zlib1g").startswith("1:1.2.13")
    monkeypatch.setattr(qemu, "_download", None)
    assert qemu.rootfs(["zlib1g"], "bookworm", workspace) == root


def test_a_system_is_seen_as_on_that_machine_through_links(tmp_path: Path) -> None:
    (tmp_path / "root" / "usr").mkdir(parents=True)
    (tmp_path / "root" / "usr" / "held").write_text("it")
    (tmp_path / "root" / "lib").symlink_to("usr")
    prefix = qemu.prefix(tmp_path / "root", "cortex-a53", tmp_path / "links")
    assert (prefix / "lib" / "held").read_text() == "it"
    assert (prefix / "proc" / "cpuinfo").read_text() == qemu.cpuinfo("cortex-a53")
    assert not (tmp_path / "root" / "proc").exists()
    emulator = qemu.Emulator(Path("/emulator"), "7.2")
    command = emulator.command("cortex-a53", ["program"], prefix=prefix)
    assert command == ["/emulator", "-cpu", "cortex-a53", "-L", str(prefix), "program"]


def test_a_mirror_that_cannot_be_reached_is_told_in_apts_own_words(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qemu, "MIRROR", "http://127.0.0.1:1/debian")
    with pytest.raises(NotRun, match="Connection refused") as caught:
        qemu.rootfs(["zlib1g"], "bookworm", workspace)
    assert "127.0.0.1:1" in caught.value.hint


def test_packages_that_nobody_we_trust_has_signed_are_refused(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty.gpg"
    empty.touch()
    monkeypatch.setattr(qemu, "KEYRINGS", (empty,))
    with pytest.raises(NotRun, match="is not signed"):
        qemu.rootfs(["zlib1g"], "bookworm", workspace)
    assert list(workspace.root.glob("cache/rootfs/*")) == []
