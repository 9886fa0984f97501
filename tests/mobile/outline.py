"""An outline of the APIs that the Android project uses, so that a compiler can check its types.

In: outlines/android.txt. Out: a folder of Java files, one for each class, which a Kotlin compiler
reads beside Kotlin. No code of Android or LiteRT is in it: what passes is consistent, and has not
run.
"""

from __future__ import annotations

from pathlib import Path

OUTLINES = Path(__file__).parent / "outlines"
KINDS = ("interface", "@interface")


def write(folder: Path) -> Path:
    """The Java files, under their packages."""
    for head, members in _classes():
        name, *more = head.split(" ", 1)
        package, _, plain = name.rpartition(".")
        kind, rest = _kind(more[0] if more else "")
        file = folder.joinpath(*package.split("."), f"{plain}.java")
        file.parent.mkdir(parents=True, exist_ok=True)
        body = "\n".join([f"public {kind} {plain} {rest} {{", *members, "}"])
        file.write_text(f"package {package};\n\n{body}\n")
    return folder


def _classes() -> list[tuple[str, list[str]]]:
    found: list[tuple[str, list[str]]] = []
    for line in (OUTLINES / "android.txt").read_text().splitlines():
        if line.startswith("    "):
            found[-1][1].append(line)
        elif line and not line.startswith("#"):
            found.append((line, []))
    return found


def _kind(said: str) -> tuple[str, str]:
    """What it is in Java, and what it extends."""
    word, _, rest = said.partition(" ")
    if word in KINDS:
        return word, rest
    return ("abstract class", rest) if word == "abstract" else ("class", said)
