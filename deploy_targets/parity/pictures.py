"""Pictures for a page that needs nothing else: PNG from pixels, SVG from counts and lines.

SVG takes its colours from the page (the classes in templates/report/page.html.j2), so that light
and dark are the page's business.
"""

from __future__ import annotations

import base64
import math
import struct
import zlib
from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import numpy as np
from numpy.typing import NDArray

LOWEST = -4
"""The first bin of a histogram holds all below 2^-4; compare.py says so, too."""

WIDTH, HEIGHT = 420, 150
LEFT, RIGHT, TOP, BOTTOM = 40, 8, 18, 34


def png(pixels: NDArray[np.uint8]) -> bytes:
    """[height, width, 1 or 3] as a PNG: grey, or red, green, blue."""
    height, width, channels = pixels.shape
    colour = {1: 0, 3: 2}[channels]
    # Each line begins with the number of its filter: none.
    lines = np.zeros((height, 1 + width * channels), np.uint8)
    lines[:, 1:] = pixels.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    packed = zlib.compress(lines.tobytes(), 9)
    chunks = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def as_uri(image: bytes) -> str:
    """A PNG as the address of itself."""
    return f"data:image/png;base64,{base64.b64encode(image).decode('ascii')}"


def histogram(counts: Sequence[int], bound: float) -> str:
    """Elements by error over noise, in octaves, as SVG; what lies beyond the bound is marked.

    Heights are logarithmic: one wrong element among a million must be seen.
    """
    svg = _svg("errors over noise, by octaves", WIDTH, HEIGHT)
    step = (WIDTH - LEFT - RIGHT) / len(counts)
    floor = HEIGHT - BOTTOM
    tallest = max(1.0, math.log10(1 + max(counts, default=0)))
    scale = (floor - TOP) / tallest
    _decades(svg, tallest, scale, floor)
    edge = math.log2(bound) - LOWEST + 1 if bound > 0 else None
    for number, count in enumerate(counts):
        if not count:
            continue
        tall = max(2.0, math.log10(1 + count) * scale)
        beyond = edge is not None and number >= edge
        bar = _add(svg, "rect", "bad" if beyond else "bar", x=LEFT + number * step + 1)
        bar |= {"y": _at(floor - tall), "width": _at(step - 2), "height": _at(tall)}
        _title(svg, f"error over noise {_octave(number, len(counts))}: {count:,}")
    _axis(svg, len(counts), step, floor)
    if edge is not None:
        _bound(svg, LEFT + edge * step, floor, f"bound {bound:g}")
    return _text(svg)


def plot(lines: Sequence[Sequence[float]]) -> str:
    """Lines over the index of their points, as SVG."""
    svg = _svg("the input as lines", WIDTH, HEIGHT)
    low, high = min(map(min, lines)), max(map(max, lines))
    span, floor = (high - low) or 1.0, HEIGHT - BOTTOM
    longest = max(len(line) for line in lines)
    across = (WIDTH - LEFT - RIGHT) / max(1, longest - 1)
    for y, value in ((TOP, high), (floor, low)):
        _add(svg, "line", "grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
        _label(svg, LEFT - 4, y + 4, f"{value:.3g}", "end")
    for number, line in enumerate(lines):
        points = (
            f"{LEFT + i * across:.1f},{floor - (value - low) / span * (floor - TOP):.1f}"
            for i, value in enumerate(line)
        )
        _add(svg, "polyline", f"line line{number % 4}")["points"] = " ".join(points)
    _label(svg, LEFT, floor + 14, "0", "start")
    _label(svg, WIDTH - RIGHT, floor + 14, str(longest - 1), "end")
    _label(svg, (LEFT + WIDTH - RIGHT) / 2, floor + 28, "index along the longest axis", "middle")
    return _text(svg)


def _decades(svg: Element, tallest: float, scale: float, floor: float) -> None:
    for power in range(int(tallest) + 1):
        y = floor - math.log10(1 + 10**power) * scale
        if y >= TOP:
            _add(svg, "line", "grid", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y)
            _label(svg, LEFT - 4, y + 4, _short(10**power), "end")


def _axis(svg: Element, bins: int, step: float, floor: float) -> None:
    _add(svg, "line", "axis", x1=LEFT, x2=WIDTH - RIGHT, y1=floor, y2=floor)
    for number in range(1, bins, 3):
        x = LEFT + number * step
        _add(svg, "line", "axis", x1=x, x2=x, y1=floor, y2=floor + 3)
        _label(svg, x, floor + 14, _power(number - 1 + LOWEST), "middle")
    middle = (LEFT + WIDTH - RIGHT) / 2
    _label(svg, middle, floor + 28, "error over noise (octaves); height: elements, log scale")


def _bound(svg: Element, x: float, floor: float, said: str) -> None:
    _add(svg, "line", "limit", x1=x, x2=x, y1=TOP - 6, y2=floor)
    _label(svg, x, TOP - 8, said, "middle")


def _octave(number: int, bins: int) -> str:
    low, high = _power(number - 1 + LOWEST), _power(number + LOWEST)
    if number == 0:
        return f"below {high}"
    return f"{low} and more, or not finite" if number == bins - 1 else f"{low} to {high}"


def _power(power: int) -> str:
    return f"1/{2**-power}" if power < 0 else _short(2**power)


def _short(number: int) -> str:
    for unit, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= unit:
            return f"{number / unit:.0f}{letter}"
    return str(number)


def _svg(said: str, width: int, height: int) -> Element:
    svg = Element("svg", viewBox=f"0 0 {width} {height}", role="img")
    svg.set("aria-label", said)
    return svg


def _add(svg: Element, tag: str, kind: str, **numbers: float) -> dict[str, Any]:
    made = SubElement(svg, tag, {name: _at(value) for name, value in numbers.items()})
    made.set("class", kind)
    return made.attrib


def _title(svg: Element, text: str) -> None:
    SubElement(svg[-1], "title").text = text


def _label(svg: Element, x: float, y: float, text: str, anchor: str = "middle") -> None:
    made = SubElement(svg, "text", {"x": _at(x), "y": _at(y), "text-anchor": anchor})
    made.text = text


def _at(value: float) -> str:
    return f"{value:.1f}"


def _text(svg: Element) -> str:
    return tostring(svg, encoding="unicode")
