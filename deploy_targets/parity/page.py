"""The report as one HTML page that needs nothing else. In: judged bundles. Out: a file.

How it looks is templates/report/page.html.j2; pictures.py draws. Written by a rename, so that an
interruption leaves what was there.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from pathlib import Path

import jinja2
from markupsafe import Markup

from deploy_targets.errors import ConfigError
from deploy_targets.parity import pictures
from deploy_targets.parity.report import Story
from deploy_targets.resources import resource
from deploy_targets.runtime import Rounding

SOURCES = {
    "inputs moved by an ulp": "every float of the inputs moved to a neighbouring one",
    Rounding.DOUBLE: "the whole model computed in float64 instead of float32",
    Rounding.OPERANDS: "every operand of every operation moved to a neighbouring float at random, "
    "which is what another order of summation or another kernel does",
    Rounding.THREADS: "one thread instead of several, which changes the order of sums",
    Rounding.OPTIMIZED: "all graph optimisations of its runtime instead of none",
    Rounding.CARRIED: "the noise of the model's own answers, drawn again and carried through the "
    "declared steps after it",
    Rounding.STEPS: "what each declared step before the model hands on, moved by an ulp of its "
    "largest value",
    Rounding.DECODER: "pixels of lossy files moved by a level, for decoders differ by that much",
    "each row of a batch alone": "the rows of a batch asked one by one, so that other kernels "
    "compute them",
}
"""The model's sources of noise in plain words."""


def check_out(out: Path, *, force: bool = False) -> None:
    """Raises ConfigError where the page cannot be written there."""
    if out.is_dir():
        raise ConfigError(f"{out} is a folder", hint="name a file: --html report.html")
    if not out.parent.is_dir():
        raise ConfigError(f"{out.parent} is not a folder", hint="make it first, or choose another")
    if out.exists() and not force:
        raise ConfigError(
            f"{out} exists and will not be replaced", hint="choose another --html, or add --force"
        )


def write(stories: Sequence[Story], out: Path, *, force: bool = False) -> None:
    """Writes the page. Raises ConfigError where it cannot be written, or replaces without leave."""
    check_out(out, force=force)
    text = html(stories)
    beside = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(out)
    except OSError as error:
        raise ConfigError(
            f"{out} cannot be written: {error.strerror}", hint="choose another --html"
        ) from error
    finally:
        beside.unlink(missing_ok=True)


def html(stories: Sequence[Story]) -> str:
    """The page as text: no scripts, nothing fetched."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(resource("templates", "report")),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "percent": percent,
        "width": lambda share: f"{100 * min(share, 1.0):.1f}",
        "uri": pictures.as_uri,
    }
    environment.globals |= {
        "sources": SOURCES,
        "histogram": lambda counts, bound: Markup(pictures.histogram(counts, bound)),
        "plot": lambda lines: Markup(pictures.plot(lines)),
    }
    return environment.get_template("page.html.j2").render(stories=stories)


def number(value: float) -> str:
    """A measure as one reads it."""
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    return f"{value:.2e}" if value and not 1e-3 <= abs(value) < 1e5 else f"{value:.4g}"


def percent(share: float) -> str:
    """The share of a bound that is used, as one reads it."""
    if not math.isfinite(share):
        return "beyond any bound"
    if share < 10:
        return f"{share:.0%}"
    return f"{share:,.0f} times" if share < 1e6 else f"{share:.0e} times"
