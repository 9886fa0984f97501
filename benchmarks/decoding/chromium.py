"""Chromium, headless: a page on the loopback interface fetches files and posts pixels back."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

PAGE = Path(__file__).with_name("page.html")
SECONDS = 300.0
ALONE = (
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
)
SOFTWARE = ("--disable-gpu",)
# A GPU's way through the browser, with its shaders computed on the CPU.
SHADERS = (
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--enable-gpu-rasterization",
)


def program() -> str | None:
    """Where it is."""
    return shutil.which("chromium") or shutil.which("google-chrome")


def decode(way: str, files: dict[str, bytes]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Pixels by name, and why the others have none. `way` is one of page.html's.

    Raises TimeoutError where the page does not come to its end.
    """
    names = list(files)
    found: dict[str, np.ndarray] = {}
    failed: dict[str, str] = {}
    done = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, _, at = self.path.strip("/").partition("/")
            if kind == "task":
                self._send(json.dumps({"way": way, "count": len(names)}).encode(), "text/json")
            elif kind == "file":
                self._send(files[names[int(at)]], "application/octet-stream")
            else:
                self._send(PAGE.read_bytes(), "text/html; charset=utf-8")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            kind, *rest = self.path.strip("/").split("/")
            if kind == "pixels":
                at, width, height = map(int, rest)
                pixels = np.frombuffer(body, np.uint8).reshape(height, width, 4)
                found[names[at]] = pixels[..., :3]
            elif kind == "failed":
                failed[names[int(rest[0])]] = body.decode()
            self._send(b"", "text/plain")
            if kind == "done":
                done.set()

        def _send(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    flags = SOFTWARE if way.endswith("-cpu") else SHADERS
    with _serving(server), _browsing(f"http://127.0.0.1:{server.server_port}/", flags):
        if not done.wait(SECONDS):
            raise TimeoutError(f"Chromium did not end within {SECONDS:.0f} s")
    return found, failed


@contextlib.contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def _browsing(url: str, flags: tuple[str, ...]) -> Iterator[None]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [str(program()), *ALONE, *flags, f"--user-data-dir={folder}", url]
        quiet = subprocess.DEVNULL
        process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)
