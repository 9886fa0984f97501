"""The headers that a host has to send with each file of the folder, and why.

In: a path within the folder. Out: names and values. The files for hosts (templates/web) are written
from the same, and the server behind `serve` sends the same.
"""

from __future__ import annotations

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, no inline script; wasm may be compiled."""

ISOLATION = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Without these a browser gives no shared memory, and so no threads."""

ALL = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    **ISOLATION,
}
"""Sent with every file."""

FOREVER, ASK_AGAIN = "public, max-age=31536000, immutable", "no-cache"
"""What a name with a hash in it may be kept for, and every other name."""

TYPES = {
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
    ".safetensors": "application/octet-stream",
    ".tflite": "application/octet-stream",
}
"""Endings that hosts do not all know. Browsers refuse a module of any other type."""

_HASHED = ("code.", "runtime.")


def immutable(path: str) -> bool:
    """Whether a file's name holds a hash of its contents, so that it never changes."""
    folder, _, rest = path.partition("/")
    return bool(rest) and (folder == "assets" or folder.startswith(_HASHED))


def of(path: str) -> dict[str, str]:
    """The headers of one file, by its path within the folder; "" and "index.html" are the page."""
    return {**ALL, "Cache-Control": FOREVER if immutable(path) else ASK_AGAIN}
