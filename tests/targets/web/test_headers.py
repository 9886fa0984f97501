"""The files for hosts all say what headers.py says, of every file, once."""

from __future__ import annotations

import fnmatch
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy_targets.integrations import static_site
from deploy_targets.targets.web import headers, hosts

Said = dict[str, str]


def paths(site: Path) -> list[str]:
    """Every file of a site that somebody fetches, and those that the seal adds."""
    own = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    for_hosts = {name for name in own if name.startswith("hosts/") or name == "_headers"}
    copies = {name for name in own if name.endswith((".br", ".gz"))}
    return sorted((own | set(hosts.SHORT)) - for_hosts - copies)


def netlify(site: Path) -> Callable[[str], Said]:
    given = static_site.rules((site / "_headers").read_text())
    return lambda path: static_site.headers_for(f"/{path}", given)


def vercel(site: Path) -> Callable[[str], Said]:
    rules = json.loads((site / "hosts/vercel.json").read_text())["headers"]

    def said(path: str) -> Said:
        fits = (rule for rule in rules if re.fullmatch(rule["source"], f"/{path}"))
        return joined((h["key"], h["value"]) for rule in fits for h in rule["headers"])

    return said


def firebase(site: Path) -> Callable[[str], Said]:
    rules = json.loads((site / "hosts/firebase.json").read_text())["hosting"]["headers"]

    def fits(glob: str, path: str) -> bool:
        if found := re.fullmatch(r"/@\((.*)\)(/\*\*)?", glob):
            names = [f"/{name}{'/*' if found[2] else ''}" for name in found[1].split("|")]
            return any(fnmatch.fnmatchcase(path, name) for name in names)
        return glob in ("**", path)

    def said(path: str) -> Said:
        found = (rule for rule in rules if fits(rule["source"], f"/{path}"))
        return joined((h["key"], h["value"]) for rule in found for h in rule["headers"])

    return said


WORD = re.compile(r"""\s+|\#[^\n]*|"((?:[^"\\]|\\.)*)"(?=[\s;])|([^\s;{}"'\#][^\s;{]*)|([;{}])""")
"""As nginx reads: a bare word ends at a space, a semicolon or a brace that opens a block."""
Directive = tuple[list[str], list["Directive"]]


def directives(text: str) -> list[Directive]:
    """The words of each directive and what is in its block. Raises where nginx would."""
    levels: list[list[Directive]] = [[]]
    words: list[str] = []
    at = 0
    while at < len(text):
        found = WORD.match(text, at)
        assert found, f"nginx cannot read {text[at : at + 40]!r}"
        at = found.end()
        quoted, bare, mark = found.groups()
        if quoted is not None or bare is not None:
            words.append(quoted if bare is None else bare)
        if not mark:
            continue
        assert bool(words) is (mark != "}"), f"a misplaced {mark} before {text[at : at + 40]!r}"
        if mark == "}":
            levels.pop()
            assert levels, "a block ends that never began"
            continue
        levels[-1].append((words, []))
        if mark == "{":
            levels.append(levels[-1][-1][1])
        words = []
    assert not words, f"no semicolon after {words}"
    assert len(levels) == 1, "a block that never ends"
    return levels[0]


def test_a_brace_outside_quotes_opens_a_block_in_nginx() -> None:
    [(words, block)] = directives('location ~ "^/a{2}" { index a; }')
    assert (words, block) == (["location", "~", "^/a{2}"], [(["index", "a"], [])])
    with pytest.raises(AssertionError, match="never ends"):
        directives("location ~ ^/a{2} { index a; }")


def nginx(site: Path) -> Callable[[str], Said]:
    """The first location that fits, regular expressions before prefixes, and what it adds."""
    text = (site / "hosts/nginx.conf").read_text()
    blocks = sorted(directives(text), key=lambda block: "~" not in block[0])
    assert [words[0] for words, _ in blocks] == ["location", "location"]

    def said(path: str) -> Said:
        for (_, *regular, where), block in blocks:
            if re.match(where if regular else re.escape(where), f"/{path}"):
                added = [words for words, _ in block if words[0] == "add_header"]
                assert all(words[3:] == ["always"] for words in added)
                return joined([(words[1], words[2]) for words in added])
        return {}

    return said


def apache(site: Path) -> Callable[[str], Said]:
    """`set` replaces what was set before."""
    text = (site / "hosts/htaccess").read_text()
    outside, where, inside, after = re.split(
        r'^<If "%\{REQUEST_URI\} =~ m#(.*)#">\n(.*?)^</If>', text, flags=re.MULTILINE | re.DOTALL
    )
    assert "Header always set" not in after

    def said(path: str) -> Said:
        told = outside + (inside if re.search(where, f"/{path}") else "")
        return dict(re.findall(r'Header always set (\S+) "(.*)"', told))

    return said


def joined(pairs: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> Said:
    """As a host sends them: a name that is set twice has both values."""
    found: Said = {}
    for name, value in pairs:
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


@pytest.mark.parametrize("host", [netlify, vercel, firebase, nginx, apache])
def test_every_file_gets_each_header_once(site: Path, host: Callable[..., Callable]) -> None:
    said = host(site)
    for path in ["", *paths(site)]:
        assert said(path) == headers.of(path), path


def test_only_names_with_a_hash_are_kept_for_ever(site: Path) -> None:
    kept = [path for path in paths(site) if headers.immutable(path)]
    assert Counter(path.partition(".")[0].partition("/")[0] for path in kept).keys() == {
        "code",
        "runtime",
        "assets",
    }
    for path in kept:
        folder, _, name = path.partition("/")
        assert re.search(r"\.[0-9a-f]{12}(\.|$)", name if folder == "assets" else folder), path


def test_every_ending_of_a_site_has_a_type_that_hosts_are_told_or_know(site: Path) -> None:
    known = {".html", ".js", ".css", ".json", ".svg", ".mts", ".md", ".png", ""}
    endings = {Path(path).suffix for path in paths(site)}
    assert endings <= known | set(headers.TYPES)
    for file in ("hosts/nginx.conf", "hosts/htaccess"):
        for ending, kind in headers.TYPES.items():
            assert re.search(rf"{kind} \.?{ending[1:]}\b", (site / file).read_text())
