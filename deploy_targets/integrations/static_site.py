"""A static folder behind a loopback port, served as the host of a site would serve it.

In: a folder. Out: its URL, until the context ends. Its headers are those of its own `_headers`
file, so that what is tested is what is shipped. Compressed copies (`x.br`, `x.gz`) go to whoever
accepts them, ranges of bytes to whoever asks; nothing is listed, and nothing outside the folder is
ever read. `Exchange` lets a page fetch and send what is too large for a browser's remote control.
"""

from __future__ import annotations

import itertools
import re
import secrets
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from deploy_targets.errors import ConfigError, ToolMissing
from deploy_targets.integrations import loop as loops

if TYPE_CHECKING:
    from aiohttp import web

HEADERS = "_headers"
_SUFFIXES = {
    "text/html": ".html",
    "text/css": ".css",
    "text/javascript": ".js .mjs",
    "text/markdown": ".md",
    "text/plain": ".txt .ts .conf",
    "application/json": ".json",
    "application/wasm": ".wasm",
    "image/svg+xml": ".svg",
    "image/png": ".png",
    "image/jpeg": ".jpg .jpeg",
    "image/webp": ".webp",
    "image/x-icon": ".ico",
}
TYPES = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
"""Suffix -> content type. Given here, because the machine's own table may say anything."""
OTHERWISE = "application/octet-stream"


@dataclass(frozen=True)
class Rule:
    """Headers for the paths that match, as a host reads them from `_headers`."""

    pattern: re.Pattern[str]
    headers: tuple[tuple[str, str], ...]


def rules(text: str) -> tuple[Rule, ...]:
    """The rules of a `_headers` file: a path per block, then `Name: value`, indented.

    `*` stands for anything, `:name` for anything without a slash. Raises ConfigError.
    """
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, value = line.strip().partition(":")
        if not line[0].isspace():
            found.append((line.strip(), []))
        elif found and colon and name.strip() and value.strip():
            found[-1][1].append((name.strip(), value.strip()))
        else:
            raise ConfigError(
                f"line {number} of {HEADERS} is no header: {line.strip()!r}",
                hint="a path begins a line; below it, indented, come lines such as Name: value",
            )
    return tuple(Rule(_pattern(path), tuple(headers)) for path, headers in found)


def headers_for(path: str, given: Sequence[Rule]) -> dict[str, str]:
    """What is sent with a path. All rules that match count; what two of them say is joined."""
    sent: dict[str, tuple[str, str]] = {}
    for rule in given:
        if rule.pattern.fullmatch(path):
            for name, value in rule.headers:
                before = sent.get(name.lower())
                sent[name.lower()] = (name, f"{before[1]}, {value}" if before else value)
    return dict(sent.values())


@dataclass
class Exchange:
    """Bytes for the page, and bytes from it, each at a path that nobody guesses."""

    root: str = field(default_factory=lambda: f".exchange-{secrets.token_hex(8)}/")
    _number: Iterator[int] = field(default_factory=itertools.count)
    _offered: dict[str, bytes] = field(default_factory=dict)
    _taken: dict[str, bytes] = field(default_factory=dict)

    @contextmanager
    def question(self, body: bytes) -> Iterator[str]:
        """The path at which the page finds `body`, and to which it posts its answer."""
        path = f"{self.root}{next(self._number)}"
        self._offered[path] = body
        try:
            yield path
        finally:
            self._offered.pop(path, None)
            self._taken.pop(path, None)

    def answer(self, path: str) -> bytes | None:
        """What the page posted there; None where it posted nothing."""
        return self._taken.get(path)

    async def handle(self, request: web.Request, path: str) -> web.StreamResponse:
        """One request of the page."""
        from aiohttp import web

        if path not in self._offered:
            raise web.HTTPNotFound
        if request.method == "POST":
            self._taken[path] = await request.read()
            return web.Response(status=204)
        return web.Response(body=self._offered[path], content_type=OTHERWISE)


@dataclass(frozen=True)
class Site:
    """A folder that is being served."""

    url: str  # ends in a slash
    exchange: Exchange


@contextmanager
def serving(folder: Path, port: int = 0, prefix: str = "/") -> Iterator[Site]:
    """The folder at a loopback port (0 picks a free one), below a path of the host.

    Raises ConfigError where the port is taken or `_headers` cannot be read, ToolMissing.
    """
    given = _rules_of(folder)
    exchange = Exchange()
    with loops.running() as loop:
        server = _server(folder, port, prefix, given, exchange)
        with loop.entered(server) as bound:
            yield Site(f"http://127.0.0.1:{bound}{prefix}", exchange)


def wait() -> None:
    """Until interrupted."""
    threading.Event().wait()


def _rules_of(folder: Path) -> tuple[Rule, ...]:
    file = folder / HEADERS
    return rules(file.read_text(encoding="utf-8")) if file.is_file() else ()


@asynccontextmanager
async def _server(
    folder: Path, port: int, prefix: str, given: Sequence[Rule], exchange: Exchange
) -> AsyncIterator[int]:
    try:
        from aiohttp import web
    except ModuleNotFoundError as error:
        raise ToolMissing(
            "a site is served with aiohttp, which is not installed",
            hint="pip install 'deploy-targets[web]'",
        ) from error

    async def handle(request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        if path.startswith(exchange.root):
            return await exchange.handle(request, path)
        if request.method not in ("GET", "HEAD"):
            raise web.HTTPMethodNotAllowed(request.method, ("GET", "HEAD"))
        return _file(folder, path)

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        path = "/" + request.match_info.get("path", "")
        response.headers.update(headers_for(path, given))

    app = web.Application(client_max_size=1 << 32)
    app.router.add_route("*", f"{prefix}{{path:.*}}", handle)
    app.on_response_prepare.append(add_headers)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await _bind(web.TCPSite(runner, "127.0.0.1", port), port)
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _bind(site: web.TCPSite, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        raise ConfigError(
            f"port {port} cannot be had: {error.strerror}", hint="choose another with --port"
        ) from error


def _file(folder: Path, path: str) -> web.StreamResponse:
    """The file, or a 404 that says nothing of this machine."""
    from aiohttp import web

    file = _inside(folder, f"{path}index.html" if path.endswith("/") or not path else path)
    if file is None:
        return web.Response(status=404, text="not found\n")
    kind = TYPES.get(file.suffix, OTHERWISE)
    text = kind.startswith("text/") or kind == "application/json"
    return web.FileResponse(
        file, headers={"Content-Type": f"{kind}; charset=utf-8" if text else kind}
    )


def _inside(folder: Path, asked: str) -> Path | None:
    """The file that is meant, if it is one, and one of the folder: links are followed."""
    if "\0" in asked:
        return None
    file = folder / asked
    return file if file.is_file() and file.resolve().is_relative_to(folder.resolve()) else None


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\*|:[A-Za-z]\w*)", path)
    either = {"*": ".*"}
    return re.compile(
        "".join(
            either.get(part) or ("[^/]+" if part.startswith(":") and i % 2 else re.escape(part))
            for i, part in enumerate(parts)
        )
    )
