"""Which compiled files a Lambda runtime can load: the processor, and the system's libraries.

In comes the folder of a function; nothing leaves unless a file in it could not be loaded there.
To add a runtime, add a line to `RUNTIMES`: the newest symbol versions that its system has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy_targets.errors import ConfigError, UnsupportedModel

Version = tuple[int, ...]

# glibc 2.34 and the libstdc++ of GCC 11.
_AMAZON_LINUX_2023: Mapping[str, Version] = {
    "GLIBC": (2, 34),
    "GLIBCXX": (3, 4, 29),
    "CXXABI": (1, 3, 13),
}

RUNTIMES: Mapping[str, Mapping[str, Version]] = {
    "3.14": _AMAZON_LINUX_2023,
    "3.13": _AMAZON_LINUX_2023,
    "3.12": _AMAZON_LINUX_2023,
}

# Offset 18 of an ELF file: the processor it is for.
_MACHINES = {"x86_64": 62, "arm64": 183}

_NEEDED = re.compile(rb"\0(GLIBC|GLIBCXX|CXXABI)_(\d+(?:\.\d+)+)(?=\0)")


def system_of(python: str) -> Mapping[str, Version]:
    """The newest symbol versions on the system of this Lambda Python. Raises ConfigError."""
    if python in RUNTIMES:
        return RUNTIMES[python]
    newest, *_ = RUNTIMES
    why = (
        "Lambda runs it on Amazon Linux 2, whose glibc 2.26 cannot load ONNX Runtime (2.28)"
        if python in {"3.10", "3.11"}
        else "Lambda has no such runtime, or it is not known here"
    )
    raise ConfigError(
        f"python = {python!r} cannot be used for a Lambda function: {why}",
        hint=f'choose python = "{newest}" (or one of {", ".join(RUNTIMES)})',
    )


def check_loadable(folder: Path, arch: str, python: str) -> None:
    """Raises UnsupportedModel where a file below `folder` cannot be loaded by the runtime."""
    system = system_of(python)
    problems = [
        f"{file.relative_to(folder).as_posix()} {problem}"
        for file in _compiled_files(folder)
        for problem in problems_of(file.read_bytes(), arch, system)
    ]
    if problems:
        raise UnsupportedModel(
            f"Lambda's Python {python} on {arch} cannot load: " + "; ".join(problems),
            hint="lock versions whose wheels are made for manylinux_2_28 or older",
        )


def problems_of(elf: bytes, arch: str, system: Mapping[str, Version]) -> Iterator[str]:
    """Why a compiled file cannot be loaded on a system of those library versions."""
    if int.from_bytes(elf[18:20], "little") != _MACHINES[arch]:
        yield f"is not for {arch}"
    for library, newest in needed_versions(elf).items():
        if newest > system[library]:
            yield f"needs {library}_{'.'.join(map(str, newest))}"


def needed_versions(elf: bytes) -> Mapping[str, Version]:
    """Library -> the newest version of its symbols that is asked for.

    Reads the names from the file's string table, where each lies between zero bytes. A name there
    that nothing refers to would count too: such a file is refused too early, never too late.
    """
    newest: dict[str, Version] = {}
    for library, version in _NEEDED.findall(elf):
        numbers = tuple(int(number) for number in version.split(b"."))
        newest[library.decode()] = max(numbers, newest.get(library.decode(), ()))
    return newest


def _compiled_files(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            with file.open("rb") as opened:
                if opened.read(4) == b"\x7fELF":
                    yield file
