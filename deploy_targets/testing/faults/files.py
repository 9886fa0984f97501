"""Faults of storage and transport: the bytes of one file of a bundle, and the seal not renewed."""

from __future__ import annotations

from deploy_targets.testing.faults.fault import Random, file


@file("the share of the bytes that is lost; 0: the last one", 0.9, 0.1, 0)
def truncated(raw: bytes, strength: float, random: Random) -> bytes:
    """The end of the file was never written."""
    return raw[: len(raw) - max(1, round(strength * len(raw)))]


@file("how many bits flip", 100, 10, 1)
def bit_flipped(raw: bytes, strength: float, random: Random) -> bytes:
    """A bit of the file is not what it was."""
    changed = bytearray(raw)
    places = random.choice(len(raw) * 8, size=min(len(raw) * 8, round(strength)), replace=False)
    for place in places:
        changed[place // 8] ^= 1 << int(place) % 8
    return bytes(changed)


@file("the share of the bytes that read as zero; 0: one byte", 0.5, 0.01, 0)
def block_of_zeros(raw: bytes, strength: float, random: Random) -> bytes:
    """A block of the file holds zeros: it was allocated and never written."""
    used = [place for place, byte in enumerate(raw) if byte]
    size = max(1, round(strength * len(raw)))
    start = used[int(random.integers(len(used)))] if used else 0
    return raw[:start] + bytes(len(raw[start : start + size])) + raw[start + size :]


@file("how many bytes", 1000, 1)
def bytes_appended(raw: bytes, strength: float, random: Random) -> bytes:
    """Something follows after the end of the file."""
    return raw + bytes(round(strength))


@file("1: every line end; there is no weaker form", 1)
def line_ends_translated(raw: bytes, strength: float, random: Random) -> bytes:
    """The file was carried as text: each line feed became carriage return and line feed."""
    return raw.replace(b"\n", b"\r\n")


@file("1: every byte; there is no weaker form", 1)
def carried_as_ascii(raw: bytes, strength: float, random: Random) -> bytes:
    """The file was carried through seven bits: each byte lost its highest."""
    return bytes(byte & 0x7F for byte in raw)
