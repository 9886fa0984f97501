"""Content types: what a request says its body is, and what its first bytes say."""

from __future__ import annotations

from collections.abc import Iterable

from serving.messages import Request

JSON, OCTETS, PNG = "application/json", "application/octet-stream", "image/png"

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
    (b"RF64", "audio/wav"),
)


def stated(request: Request) -> str:
    """The request's Content-Type without its parameters; empty where there is none."""
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def seen(body: bytes) -> str:
    """The content type that the first bytes speak of; empty where they speak of none."""
    if body.startswith(b"RIFF"):
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(body[8:12], "")
    return next((kind for start, kind in _BEGINNINGS if body.startswith(start)), "")


def takes(media: Iterable[str], kind: str) -> bool:
    """Whether a content type is among those, of which "image/*" stands for many."""
    return any(
        kind == each or (each.endswith("/*") and kind.startswith(each[:-1])) for each in media
    )


def wanted(request: Request) -> set[str]:
    """What Accept asks for, without parameters; everything where it asks for nothing."""
    accept = request.headers.get("accept", "").lower() or "*/*"
    return {part.split(";")[0].strip() for part in accept.split(",")}
