"""The thing that the user names as --transform, found and recognised."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deploy_targets.errors import ConfigError
from deploy_targets.frontends.call_user import call_user
from deploy_targets.frontends.eager import home
from deploy_targets.frontends.observe import observing
from deploy_targets.frontends.source import Kind, SourceSpec, kind_of
from deploy_targets.recognising import KNOWN, Found, recognise

EXAMPLE = "--transform model.py:transform, or --transform NAME=model.py:transform"


@dataclass(frozen=True)
class Named:
    """Where it is, what it is, and whether a build can call it under that name."""

    source: str
    found: Found
    callable: bool


def parsed(given: list[str]) -> dict[str, str]:
    """By input; the one that names none is under "". Raises ConfigError."""
    by_input: dict[str, str] = {}
    for text in given:
        before, equals, after = text.partition("=")
        name, source = (before, after) if equals else ("", text)
        if name in by_input or (not name and equals):
            of = f"for {name!r}" if name else "that name no input"
            raise ConfigError(f"--transform {text}: there are two {of}", hint=f"write {EXAMPLE}")
        by_input[name] = source
    return by_input


def load(source: str, base: Path) -> Named:
    """The object, or what a function without arguments returns. Raises ConfigError."""
    spec = SourceSpec(source, base)
    if kind_of(spec) is not Kind.CALLABLE:
        raise ConfigError(f"--transform {source} is no object in code", hint=f"write {EXAMPLE}")
    direct: list[object] = []

    def as_is(thing: object) -> bool:
        direct.extend([thing] if recognise(thing) else [])
        return bool(direct)

    with observing(home(spec)) as observed:
        thing = call_user(spec, observed, as_is=as_is)
        found = recognise(thing)
    if found is None:
        raise ConfigError(
            f"--transform {source} is a {type(thing).__name__}, of no form that is known here",
            hint=f"known are {KNOWN}; or write [inputs.NAME.preprocess] yourself",
        )
    return Named(source, found, bool(direct) and found.direct)
