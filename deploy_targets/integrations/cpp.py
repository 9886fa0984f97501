"""C++ made into programs: by this machine's g++, or by Debian's for ARM; nothing is installed.

In come files as texts by name, among them the SDK as one header and one source; out goes a folder
with programs, made once per digest of all that decides it. Each source is compiled once, whatever
programs it is in.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy_targets.errors import ConversionFailed, NotRun, ToolMissing
from deploy_targets.integrations import bubblewrap, qemu
from deploy_targets.workspace import Workspace, digest_of

HEADER, SOURCE = "deploy_target.hpp", "deploy_target.cpp"
FLAGS = ("-std=c++17", "-ffp-contract=off")
"""Products added without rounding in between would give other numbers than the reference."""
SUITE = "trixie"
CROSS = "g++-14-aarch64-linux-gnu"
TIMEOUT = 600.0
_ARM = "aarch64-linux-gnu"
_OWN = re.compile(r'#include "([^"]+)"')
_GUARD = re.compile(r"#(?:ifndef|define) DEPLOY_TARGET_\w*HPP")
_LAST_LINES = 40


@dataclass(frozen=True)
class Compiler:
    """What is run to compile and to link, and what else decides what it makes."""

    command: tuple[str, ...]
    version: str
    compile: tuple[str, ...] = ()
    link: tuple[str, ...] = ()


def amalgamated(sdk: Path) -> dict[str, str]:
    """The SDK, whose files include each other by name, as one header and one source, by name."""
    include, sources = sdk / "include", sdk / "src"
    known = {path.relative_to(include).as_posix() for path in include.rglob("*.hpp")}
    parts = [_inlined(path, (sources,), known) for path in sorted(sources.glob("*.cpp"))]
    return {
        HEADER: _inlined(include / HEADER, (include,), set()),
        SOURCE: f'#include "{HEADER}"\n\n' + "\n".join(parts),
    }


def gxx() -> Compiler:
    """The machine's own g++. Raises ToolMissing."""
    found = shutil.which("g++")
    if found is None:
        raise ToolMissing(
            "g++ was not found, and the C++ SDK is compiled with it",
            hint="install it (Debian, Ubuntu: apt-get install g++ libjpeg-dev zlib1g-dev)",
        )
    told = [found, "-dumpfullversion", "-dumpmachine"]
    ran = subprocess.run(told, capture_output=True, text=True, check=True)
    return Compiler((found,), ran.stdout.strip())


def cross(workspace: Workspace) -> Compiler:
    """Debian's compiler for ARM, whose folder stands in for /usr while it runs.

    Raises ToolMissing without bubblewrap, and as `qemu.rootfs` does.
    """
    root = qemu.rootfs((CROSS,), SUITE, workspace, "amd64").resolve()
    seen = ("--dev-bind", "/", "/", "--ro-bind", str(root / "usr"), "/usr")
    command = (str(bubblewrap.find()), *seen, f"/usr/bin/{_ARM}-{CROSS.removesuffix(f'-{_ARM}')}")
    return Compiler(command, f"{CROSS} {qemu.package_version(root, CROSS)}")


def within(compiler: Compiler, root: Path) -> Compiler:
    """The same with the headers and libraries of a rootfs for ARM."""
    usr, packages = root.resolve() / "usr", (root / qemu.PACKAGES).read_text()
    libraries = usr / "lib" / _ARM
    return Compiler(
        compiler.command,
        f"{compiler.version}, {digest_of(packages)}",
        ("-idirafter", str(usr / "include"), "-idirafter", str(usr / "include" / _ARM)),
        # The compiler's own C library comes first: the other is written for where it is installed.
        # What the rootfs' libraries need themselves lies there, too.
        (f"-L/usr/{_ARM}/lib", f"-L{libraries}", f"-Wl,-rpath-link,{libraries}"),
    )


def built(
    files: Mapping[str, str],
    programs: Mapping[str, Sequence[str]],
    compiler: Compiler,
    workspace: Workspace,
    *,
    compile: Sequence[str] = (),
    link: Sequence[str] = (),
) -> Path:
    """A folder with programs, each made of sources among the files; flags may name their folders.

    Raises ConversionFailed with what the compiler said.
    """
    flags = [*FLAGS, *compiler.compile, *compile]
    key = digest_of(
        "cpp 1",
        compiler.version,
        dict(files),
        {k: [*v] for k, v in programs.items()},
        flags,
        [*link],
    )

    def make(home: Path) -> None:
        for name, text in files.items():
            (home / "files" / name).parent.mkdir(parents=True, exist_ok=True)
            (home / "files" / name).write_text(text)
        sources = sorted({source for several in programs.values() for source in several})
        objects = {source: str(home / source.replace("/", "-")) + ".o" for source in sources}
        commands = [
            [*compiler.command, *flags, "-c", source, "-o", objects[source]] for source in sources
        ]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda command: _run(command, home / "files"), commands))
        for program, several in programs.items():
            made = [*(objects[source] for source in several), "-o", str(home / program)]
            _run([*compiler.command, *made, *compiler.link, *link], home / "files")

    return workspace.cached("cpp", key, make)


def _run(command: Sequence[str], folder: Path) -> None:
    try:
        ran = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=TIMEOUT, cwd=folder
        )
    except subprocess.TimeoutExpired as error:
        raise NotRun(
            f"the C++ compiler took longer than {TIMEOUT:g} s and was stopped",
            hint="try again when the machine is less busy",
        ) from error
    if ran.returncode:
        words = "\n".join(ran.stderr.strip().splitlines()[:_LAST_LINES])
        raise ConversionFailed(
            f"the C++ compiler refused the sources:\n{words}", hint="mend what the first line names"
        )


def _inlined(file: Path, folders: Sequence[Path], known: set[str]) -> str:
    """A file with those that it includes by name in their place, each of them once."""
    lines = []
    for line in file.read_text().splitlines():
        own = _OWN.fullmatch(line)
        if own is None:
            lines.append(line)
        elif own[1] not in known:
            known.add(own[1])
            found = next(path for folder in folders if (path := folder / own[1]).is_file())
            lines.append(_unguarded(_inlined(found, folders, known)))
    return "\n".join(lines) + "\n"


def _unguarded(text: str) -> str:
    """A header without what keeps it from being read twice."""
    lines = text.strip().splitlines()
    assert lines[-1] == "#endif", f"a header does not end with its guard: {lines[-1]}"
    return "\n".join(line for line in lines[:-1] if not _GUARD.fullmatch(line))
