"""Kotlin's compiler for the JVM, as a wheel brings it, and the JVM that runs what it makes.

In come .kt files; out goes a folder of classes, made once per digest of all that decides it. The
wheel is fetched by its hash; the JVM is the machine's own. What needs Android's own classes is not
compiled here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy_targets.errors import ConversionFailed, ToolMissing
from deploy_targets.integrations import wheels
from deploy_targets.workspace import Workspace, digest_of, digest_of_file

LOCK = Path(__file__).parent / "locks" / "kotlin.txt"
TIMEOUT = 600.0
"""Seconds that a compilation may take."""
_JARS = Path("run_kotlin_kernel", "jars")
_NEEDED = ("kotlin-jupyter-kernel-*-all", "kotlin-stdlib-*", "kotlin-reflect-*", "annotations-*")
_MAIN = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler"
# A small heap in one thread: several compilers may run side by side on a small machine.
_FRUGAL = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx1g")
_LAST_LINES = 40


@dataclass(frozen=True)
class Classes:
    """Where compiled classes lie, and all that a JVM needs to run them."""

    folder: Path
    classpath: tuple[Path, ...]


def compiled(
    sources: Sequence[Path],
    workspace: Workspace,
    *,
    classpath: Sequence[Path] = (),
    friend: Classes | None = None,
    release: int | None = None,
) -> Classes:
    """Compiles files, or all files in folders, for Java 8 bytecode.

    `friend` is a module whose internals these sources see, as tests do. `release`: sources that use
    anything newer than that Java's own classes are refused, where the JVM is a whole JDK that
    knows older ones. Raises ToolMissing, and ConversionFailed with what the compiler said.
    """
    files = _files(sources)
    jars = toolchain(workspace)
    known = (*classpath, *((friend.classpath) if friend else ()), _only(jars, "kotlin-stdlib-*"))
    flags = [*(["-Xfriend-paths=" + str(friend.folder)] if friend else [])]
    if release is not None and knows_releases():
        flags.append(f"-Xjdk-release={release}")
    content = [(file.name, digest_of_file(file)) for file in files]
    # A folder of the cache is named by what is in it, and any other jar by what it holds.
    beside = [str(p) if p.is_dir() else digest_of_file(p) for p in known]
    key = digest_of("1", digest_of_file(LOCK), content, beside, flags)

    def make(home: Path) -> None:
        _compile(files, home / "classes", jars, known, flags)

    folder = workspace.cached("kotlin-classes", key, make) / "classes"
    return Classes(folder, (folder, *dict.fromkeys(known)))


def toolchain(workspace: Workspace) -> Path:
    """The folder with the compiler's jars, fetched once. Raises ToolMissing."""

    def make(home: Path) -> None:
        wheels.install(LOCK, home / "wheel", platform="x86_64-manylinux_2_28", python="3.13")
        (home / "jars").mkdir()
        for pattern in _NEEDED:
            jar = _only(home / "wheel" / _JARS, pattern)
            shutil.move(jar, home / "jars" / jar.name)
        shutil.rmtree(home / "wheel")

    return workspace.cached("kotlin", digest_of_file(LOCK), make) / "jars"


def java() -> str:
    """The path of the JVM. Raises ToolMissing."""
    found = shutil.which("java")
    if found is None:
        raise ToolMissing(
            "java was not found, and Kotlin is compiled and run with it",
            hint="install Java 11 or newer (Debian: apt-get install openjdk-17-jre-headless)",
        )
    return found


def knows_releases() -> bool:
    """Whether the JVM's home lists the classes of older Javas: a JDK's does, a JRE's does not."""
    return (Path(java()).resolve().parent.parent / "lib" / "ct.sym").is_file()


def command(main: str, classes: Classes, *arguments: str, more: Sequence[Path] = ()) -> list[str]:
    """What runs the class `main` of compiled classes, with more jars or folders beside them."""
    path = os.pathsep.join(map(str, (*classes.classpath, *more)))
    return [java(), *_FRUGAL, "-cp", path, main, *arguments]


def _compile(
    files: Sequence[Path], out: Path, jars: Path, known: Sequence[Path], flags: Sequence[str]
) -> None:
    compiler = os.pathsep.join(map(str, sorted(jars.glob("*.jar"))))
    own = (
        "-no-stdlib",
        "-no-reflect",
        "-jvm-target",
        "1.8",
        "-cp",
        os.pathsep.join(map(str, known)),
    )
    asked = [
        java(),
        *_FRUGAL,
        "-cp",
        compiler,
        _MAIN,
        *own,
        *flags,
        *map(str, files),
        "-d",
        str(out),
    ]
    try:
        ran = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as error:
        raise ConversionFailed(
            f"Kotlin's compiler took longer than {TIMEOUT:g} s and was stopped",
            hint="try again when the machine is less busy",
        ) from error
    if ran.returncode:
        words = "\n".join((ran.stderr or ran.stdout).strip().splitlines()[:_LAST_LINES])
        raise ConversionFailed(
            f"Kotlin's compiler refused the sources:\n{words}",
            hint="mend what the first line names",
        )


def _files(sources: Sequence[Path]) -> list[Path]:
    """All files, in an order that does not depend on where they lie."""
    found = [
        file
        for path in sources
        for file in (sorted(path.rglob("*.kt")) if path.is_dir() else [path])
    ]
    if not found:
        raise FileNotFoundError(f"no .kt file in {', '.join(map(str, sources))}")
    return found


def _only(folder: Path, pattern: str) -> Path:
    (found,) = folder.glob(f"{pattern}.jar")
    return found
