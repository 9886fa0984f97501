"""A body that came compressed, unpacked; Content-Encoding says how. Raises Refused."""

from __future__ import annotations

from serving.limits import UNPACKED
from serving.messages import Request
from serving.refusals import Refused, shown


def unpacked(request: Request) -> bytes:
    """The body as it was before it was compressed, if it was."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return request.body
    if encoding not in ("gzip", "deflate"):
        raise Refused(422, f"Content-Encoding must be gzip or deflate, got {shown(encoding)}")
    import zlib

    # 47: gzip and zlib are told apart by their first bytes.
    unpacker = zlib.decompressobj(47)
    try:
        body = unpacker.decompress(request.body, UNPACKED)
    except zlib.error:
        raise Refused(422, f"the body is not {encoding}, as Content-Encoding says") from None
    if unpacker.unconsumed_tail:
        raise Refused(413, f"the body unpacks to more than {UNPACKED:,} bytes; send fewer rows")
    if not unpacker.eof:
        raise Refused(422, f"the {encoding} body is cut short")
    return body
