"""Whose work a function contains, and under which terms: the text THIRD-PARTY-LICENSES.

In comes a folder of installed packages, not yet stripped; out goes one text with each package's
name, version, licence and every licence or notice that it brought, bundled libraries included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackagePath, distributions
from pathlib import Path

FILE_NAME = "THIRD-PARTY-LICENSES"

_TERMS = re.compile(r"(?i)^(licen[cs]e|copying|notice|third.?party)")
_NO_TERMS = {".py", ".pyc"}
_RULE = "=" * 80


def collect(folder: Path) -> str:
    """The licence texts of all packages in the folder, by name. The same folder, the same text."""
    found = sorted(distributions(path=[str(folder)]), key=lambda found: found.name.lower())
    opening = "This function contains the following packages, each under its own terms.\n"
    return "\n".join([opening, *(_section(package) for package in found)])


def texts_of(package: Distribution) -> tuple[PackagePath, ...]:
    """The licence and notice files that a package installed, in order."""
    return tuple(
        sorted(
            path
            for path in package.files or ()
            if _TERMS.match(path.name) and path.suffix not in _NO_TERMS
        )
    )


def expression_of(package: Distribution) -> str:
    """The licence in a word, as the package itself states it."""
    about = package.metadata
    stated = "".join([*about.get_all("License-Expression", []), *about.get_all("License", [])])
    classified = [
        line.rpartition(" :: ")[2]
        for line in about.get_all("Classifier", [])
        if line.startswith("License ::")
    ]
    # Some packages put the whole text into the field.
    first, *more = stated.splitlines() or [""]
    return first if first and not more else ", ".join(classified) or "see below"


def _section(package: Distribution) -> str:
    title = f"{package.name} {package.version}: {expression_of(package)}"
    texts = [f"--- {path.as_posix()}\n\n{_read(package, path)}" for path in texts_of(package)]
    return "\n".join([_RULE, title, _RULE, "", *texts, *_compiled_in(package)])


def _compiled_in(package: Distribution) -> Iterator[str]:
    """What a package's bill of materials (CycloneDX) says is compiled into it."""
    for path in sorted(package.files or ()):
        if path.name.endswith(".cyclonedx.json"):
            parts = json.loads(_read(package, path)).get("components", ())
            yield f"--- compiled in, by {path.as_posix()}\n"
            yield from sorted({_part(part) for part in parts})
            yield ""


def _part(part: dict[str, object]) -> str:
    stated = part.get("licenses")
    terms = [
        str(each.get("expression") or each.get("license", {}).get("id", "unknown"))
        for each in (stated if isinstance(stated, list) else [])
    ]
    return f"{part['name']} {part.get('version', '')}: {', '.join(terms) or 'unknown'}"


def _read(package: Distribution, path: PackagePath) -> str:
    return Path(str(package.locate_file(path))).read_text(encoding="utf-8", errors="replace")
