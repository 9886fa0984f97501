"""An Ogg stream under another number: encoders draw it at random, and files shall not differ."""

from __future__ import annotations

NUMBER = 1


def numbered(data: bytes) -> bytes:
    """The same stream, called `NUMBER`, each page with the checksum that follows."""
    made, at = bytearray(), 0
    while at < len(data):
        segments = data[at + 26]
        end = at + 27 + segments + sum(data[at + 27 : at + 27 + segments])
        page = bytearray(data[at:end])
        page[14:18] = NUMBER.to_bytes(4, "little")
        page[22:26] = bytes(4)
        page[22:26] = _checksum(page).to_bytes(4, "little")
        made += page
        at = end
    return bytes(made)


def _checksum(page: bytearray) -> int:
    """CRC-32 as Ogg has it: from the top bit down, beginning with zero."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value
