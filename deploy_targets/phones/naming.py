"""What the apps know of this one model: its inputs and outputs as typed names, and its own name.

In: a prepared model, and the apps that are made. Out: a Kotlin file, a Swift file and Package.swift
in the bundle. A name that is no identifier there becomes one; the model's own stands beside it as a
string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2

from deploy_targets.errors import UnsupportedModel
from deploy_targets.phones.kit import Kit
from deploy_targets.records import Prepared, TensorSpec
from deploy_targets.resources import resource

TEMPLATES = {
    "android": {
        "phones/Names.kt.j2": "android/deploytarget/src/main/kotlin/dev/deploytarget/Names.kt"
    },
    "ios": {
        "phones/Names.swift.j2": "ios/Sources/DeployTarget/Names.swift",
        "phones/Package.swift.j2": "Package.swift",
    },
}
"""App -> template -> path in the bundle."""

WORDS = """
as associatedtype break case catch class continue default defer deinit do else enum extension
fallthrough false fileprivate for fun func guard if import in init inout interface internal is let
nil null object operator package precedencegroup private protocol public repeat rethrows return self
Self static struct subscript super switch this throw throws true try typealias typeof val var when
where while mapOf outputs run tensor
"""
RESERVED = frozenset(WORDS.split())
"""What neither language takes as a name, and what the templates use themselves."""


@dataclass(frozen=True)
class Named:
    """One tensor: an identifier, the model's own name as a literal, and what it holds."""

    identifier: str
    literal: str
    dtype: str
    shape: str


def write(kit: Kit, prepared: Prepared, folder: Path) -> None:
    """The files of TEMPLATES for the apps of the kit, filled."""
    given = {
        "name": spoken(prepared.name),
        "package": package(prepared.name),
        "model": kit.model,
        "runtime": _package_part(kit.runtimes.get("ios")),
        "inputs": named(prepared.signature.inputs),
        "outputs": named(prepared.signature.outputs),
    }
    for app in kit.runtimes:
        for template, path in TEMPLATES[app].items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(filled(template, given), encoding="utf-8")


def _package_part(runtime: str | None) -> str:
    """What of Package.swift is of this runtime alone; empty where no app for iOS is made."""
    if runtime is None:
        return ""
    return resource("templates", "phones", "runtimes", f"{runtime}.swift").read_text("utf-8")


def filled(template: str, given: object) -> str:
    """A template of templates/ with these values: "phones/Names.kt.j2"."""
    text = resource("templates", *template.split("/")).read_text(encoding="utf-8")
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    return environment.from_string(text).render(given)


def package(name: str) -> str:
    """The Swift package's name: ASCII letters, digits and dashes."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:100] or "model"


def named(specs: Sequence[TensorSpec]) -> list[Named]:
    """Each tensor under an identifier of its own."""
    found: list[Named] = []
    for spec in specs:
        taken = {one.identifier for one in found}
        shape = spoken(" x ".join(map(str, spec.shape))) or "a single number"
        found.append(Named(_identifier(spec.name, taken), _literal(spec.name), spec.dtype, shape))
    return found


def _identifier(name: str, taken: set[str]) -> str:
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    if not plain.strip("_") or plain[0].isdigit():
        plain = f"tensor{plain}"
    while plain in RESERVED or plain in taken:
        plain += "_"
    return plain


def spoken(name: str) -> str:
    """A name as a comment may hold it, on one line."""
    return " ".join(name.split()).replace("*/", "* /").replace("/*", "/ *")


def _literal(name: str) -> str:
    """A string in both languages. Raises UnsupportedModel."""
    if not name.isprintable():
        raise UnsupportedModel(
            f"the tensor {name!r} holds a control character, which no source file may",
            hint="give it another name, in [inputs] or [outputs] of deploy.toml",
        )
    return json.dumps(name, ensure_ascii=False)
