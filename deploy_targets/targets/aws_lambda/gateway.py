"""A local HTTP port that stands before a function as API Gateway would.

Each HTTP request becomes an event, and the function's return value an HTTP response. The function
runs in its sandbox and answers one request at a time, as one of Lambda's own does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from deploy_targets import bundle as bundles
from deploy_targets.errors import ConfigError
from deploy_targets.integrations.lambda_emulator import EventTooLarge, Function, FunctionFailed
from deploy_targets.targets.aws_lambda import calls
from deploy_targets.targets.aws_lambda.runner import started
from deploy_targets.workspace import Workspace

LARGEST_BODY = 10 * 1024 * 1024
"""What API Gateway itself takes; Lambda takes less, and says so by itself."""


def serve(bundle: Path, port: int, workspace: Workspace, ready: Callable[[str], object]) -> None:
    """Serves until interrupted. Raises ConfigError where the port is taken."""
    with listening(bundle, port, workspace) as server:
        ready(f"http://127.0.0.1:{server.server_port}")
        server.serve_forever(poll_interval=0.2)


@contextmanager
def listening(bundle: Path, port: int, workspace: Workspace) -> Iterator[ThreadingHTTPServer]:
    """A started function and a bound port, not yet serving."""
    opened = bundles.open_bundle(bundle)
    with started(opened, workspace) as function:
        handler = type("Handler", (_Gateway,), {"function": function})
        try:
            server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        except OSError as error:
            raise ConfigError(
                f"port {port} cannot be had: {error.strerror}", hint="choose another with --port"
            ) from error
        with server:
            yield server


class _Gateway(BaseHTTPRequestHandler):
    """One HTTP connection."""

    function: ClassVar[Function]
    protocol_version = "HTTP/1.1"
    server_version = "deploy-target"

    def do_GET(self) -> None:
        self._forward()

    do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = do_GET

    def log_message(self, *_: object) -> None:
        """No line for each request: the function has its own log."""

    def _forward(self) -> None:
        length = self.headers.get("content-length") or "0"
        if "transfer-encoding" in self.headers or not length.isdecimal():
            self.close_connection = True
            self._error(411, "send the body whole, with a Content-Length")
            return
        size = int(length)
        if size > LARGEST_BODY:
            self._drain(size)
            self._error(413, f"the body is {size:,} bytes; at most {LARGEST_BODY:,} go")
            return
        try:
            status, headers, body = calls.response(self._invoke(self.rfile.read(size)))
        except EventTooLarge as error:
            self._error(413, error.problem)
        except (FunctionFailed, calls.Refused) as error:
            # The client learns that it failed, and whoever serves it why.
            sys.stderr.write(f"{error}\n")
            self._error(502, "the function failed; its log says why")
        else:
            self._answer(status, headers, body)

    def _drain(self, size: int) -> None:
        """A client reads no answer while it still writes."""
        while size > 0:
            size -= len(self.rfile.read(min(size, 1 << 20))) or size

    def _invoke(self, body: bytes) -> bytes:
        url = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        event = calls.event(self.command, url.path, body, headers, url.query, "local")
        return self.function.invoke(event, timeout=900)

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name not in ("content-length", "connection", "date", "server"):
                self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _error(self, status: int, message: str) -> None:
        body = json.dumps({"error": message}).encode()
        self._answer(status, {"content-type": "application/json"}, body)
