"""Programs for 64-bit ARM on another machine: QEMU's user-mode emulator, and a Debian to run on.

`rootfs` unpacks Debian's arm64 packages into a folder, without root and without installing
anything; `find` gives the emulator; `Emulator.command` prefixes a command line with it. Latency
under emulation means nothing. To stand for another machine, add its CPU to `CPUS`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy_targets.errors import NotRun, ToolMissing
from deploy_targets.workspace import Workspace, digest_of

MIRROR = "http://deb.debian.org/debian"
KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
)
PACKAGES = "packages.txt"
"""In the rootfs: a line `name version` for each package unpacked there."""

_V8 = "fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid"
_V82 = _V8 + " atomics fphp asimdhp asimdrdm lrcpc dcpop asimddp"
CPUS: Mapping[str, tuple[str, str]] = {
    # QEMU's name -> part number, features; as the machine's own kernel reports them.
    "cortex-a53": ("0xd03", _V8),  # Raspberry Pi 3, cheap phones, the small cores of others
    "cortex-a57": ("0xd07", _V8),  # Jetson Nano, TX2
    "cortex-a72": ("0xd08", _V8),  # Raspberry Pi 4
    "cortex-a76": ("0xd0b", _V82),  # Raspberry Pi 5; the nearest to Orin
    "neoverse-n1": ("0xd0c", _V82),  # Graviton2
}
_CPUINFO = """\
processor\t: {number}
BogoMIPS\t: 125.00
Features\t: {features}
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x1
CPU part\t: {part}
CPU revision\t: 0

"""


@dataclass(frozen=True)
class Emulator:
    """A static qemu-aarch64 on the host."""

    path: Path
    version: str

    def command(
        self,
        cpu: str,
        program: Sequence[str],
        *,
        at: str | None = None,
        prefix: Path | None = None,
    ) -> list[str]:
        """`program` run as on this CPU; `at` is where the emulator lies, if not on the host.

        `prefix`: where the program's absolute paths are looked for before the host's own.
        """
        within = ["-L", str(prefix)] if prefix else []
        return [at or str(self.path), "-cpu", cpu, *within, *program]


def find() -> Emulator:
    """The emulator on PATH. Raises ToolMissing where there is none that is linked statically."""
    for name in ("qemu-aarch64-static", "qemu-aarch64"):
        path = shutil.which(name)
        if path and _is_static(Path(path)):
            said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
            version = re.search(r"version ([\d.]+)", said.stdout)
            return Emulator(Path(path), version[1] if version else "of unknown version")
    raise ToolMissing(
        "no statically linked qemu-aarch64 was found, so arm64 cannot be run on this machine",
        hint="install it (Debian, Ubuntu: apt-get install qemu-user-static)",
    )


def cpuinfo(cpu: str) -> str:
    """What /proc/cpuinfo says on such a machine.

    QEMU before 8.1 shows the host's, on which ONNX Runtime for ARM crashes. There are as many
    processors as the host has: a program that asks on which of them it runs is told the host's.
    """
    part, features = CPUS[cpu]
    each = (
        _CPUINFO.format(number=number, part=part, features=features)
        for number in range(os.cpu_count() or 1)
    )
    return "".join(each)


def prefix(root: Path, cpu: str, folder: Path) -> Path:
    """A rootfs as it is on such a machine: links into it, and the CPU's own /proc/cpuinfo.

    It is put into `folder`, which is new. Nothing is mounted, so that nobody need be root.
    """
    (folder / "proc").mkdir(parents=True)
    (folder / "proc" / "cpuinfo").write_text(cpuinfo(cpu))
    for path in root.iterdir():
        (folder / path.name).symlink_to(path.resolve())
    return folder


def rootfs(
    packages: Sequence[str], suite: str, workspace: Workspace, architecture: str = "arm64"
) -> Path:
    """A folder with these packages of Debian and all that they depend on.

    It is made once; take another workspace to get Debian's updates. The packages are checked
    against Debian's archive keys, unpacked, and not configured. Raises ToolMissing without apt,
    NotRun where the packages cannot be fetched.
    """
    apt, keyring = _apt()
    other = () if architecture == "arm64" else (architecture,)
    key = digest_of("rootfs 1", sorted(packages), suite, MIRROR, *other)[:16]

    def make(folder: Path) -> None:
        with workspace.scratch() as scratch:
            configuration = _configure(scratch, suite, keyring, architecture)
            archives = _download(apt, configuration, packages, scratch)
            for archive in archives:
                _run(["dpkg-deb", "--extract", str(archive), str(folder)])
        _merge_usr(folder)
        listed = sorted(_name_and_version(archive) for archive in archives)
        (folder / PACKAGES).write_text("".join(f"{line}\n" for line in listed))

    return workspace.cached("rootfs", f"{suite}-{key}", make)


def package_version(rootfs: Path, package: str) -> str:
    """The version of a package in a rootfs: "3.13.5-2". Raises KeyError where it is not there."""
    lines = (rootfs / PACKAGES).read_text().splitlines()
    return dict(line.split(" ", 1) for line in lines)[package]


def _is_static(path: Path) -> bool:
    # A dynamic program names its loader (PT_INTERP) within its first page.
    with path.open("rb") as file:
        return b"/ld-linux" not in file.read(4096)


def _apt() -> tuple[str, Path]:
    apt = shutil.which("apt-get")
    if apt is None or shutil.which("dpkg-deb") is None:
        raise ToolMissing(
            "apt-get and dpkg-deb are needed to put an arm64 system together",
            hint="run this on Debian or Ubuntu, or on an arm64 machine, which needs no emulation",
        )
    keyring = next((path for path in KEYRINGS if path.is_file()), None)
    if keyring is None:
        raise ToolMissing(
            "Debian's archive keys were not found, so its packages could not be trusted",
            hint="install them (apt-get install debian-archive-keyring)",
        )
    return apt, keyring


def _configure(folder: Path, suite: str, keyring: Path, architecture: str) -> Path:
    """An apt configuration that touches nothing of the host's own."""
    for part in ("state/lists/partial", "cache/archives/partial", "parts"):
        (folder / part).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "debian.sources").write_text(
        f"Types: deb\nURIs: {MIRROR}\nSuites: {suite}\nComponents: main\n"
        f"Architectures: {architecture}\nSigned-By: {keyring}\n"
    )
    configuration = folder / "apt.conf"
    configuration.write_text(
        f"""\
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "2";
APT::Update::Error-Mode "any";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Etc::sourcelist "{folder}/debian.sources";
Dir::Etc::sourceparts "-";
"""
    )
    return configuration


def _download(apt: str, configuration: Path, packages: Sequence[str], folder: Path) -> list[Path]:
    environment = {"APT_CONFIG": str(configuration)}
    _run([apt, "-q", "update"], environment)
    _run([apt, "-q", "--yes", "--download-only", "install", *packages], environment)
    return sorted((folder / "cache/archives").glob("*.deb"))


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    ran = subprocess.run(
        command,
        env={**os.environ, **(environment or {}), "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        last = "\n".join((ran.stdout + ran.stderr).strip().splitlines()[-5:])
        raise NotRun(
            f"{Path(command[0]).name} could not fetch or unpack the arm64 system:\n{last}",
            hint=f"check that {MIRROR} can be reached from here, and that its keys are up to date "
            "(apt-get install debian-archive-keyring)",
        )


def _merge_usr(folder: Path) -> None:
    """Moves /lib, /bin and the like into /usr, as an installed Debian has them."""
    for name in ("bin", "sbin", "lib", "lib64"):
        old, new = folder / name, folder / "usr" / name
        new.mkdir(parents=True, exist_ok=True)
        if old.is_dir() and not old.is_symlink():
            shutil.copytree(old, new, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(old)
        if not old.exists():
            old.symlink_to(f"usr/{name}")


def _name_and_version(archive: Path) -> str:
    name, version, _ = archive.name.removesuffix(".deb").split("_")
    return f"{name} {version.replace('%3a', ':')}"
