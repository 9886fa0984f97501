"""How soon a page answers: onnxruntime-web, LiteRT.js and TF.js on the same model, taking turns.

    .venv/bin/python benchmarks/web_latency.py
    .venv/bin/python benchmarks/web_latency.py --page docs/performance.md

EfficientNet-Lite0 (what examples/efficientnet-lite0/README.md sets up) and O-Net, of 1.6 MB, whose
package is downloaded once. Loads: every round each runtime once with an empty cache and once with a
full one, in a Chromium of its own, from load() to a model that can be asked. Answers: all are tabs
of one Chromium; every round each is asked twice in turn, and the second answer counts.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import section
from web.figures import Times
from web.rivals import RUNTIMES, Rival, rivals
from web.visits import Loaded, Profile, started

from deploy_targets import config
from deploy_targets.config import Settings
from deploy_targets.workspace import Workspace
from web import figures, real

EXAMPLE = Path(__file__).parents[1] / "examples" / "efficientnet-lite0" / "deploy.toml"
MODELS = {
    "efficientnet-lite0": "EfficientNet-Lite0, one picture of 224 x 224",
    "onet": "O-Net, one picture of 48 x 48",
}
HEADING = "In the browser"
WARM_UP = 5
KEPT = 0.05
"""Share of the bytes that may come by network although the cache is full: what has to be asked."""


def main() -> int:
    """Prints a table for each model, and writes them into a page where one is named."""
    given = arguments()
    said: list[str] = []
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        raced = {name: entered(name, given.runtime, home) for name in given.model}
        for name, (racing, refused) in raced.items():
            times = {rival.name: Times(*rival.download) for rival in racing}
            browser = measured(times, racing, given.loads, given.rounds)
            said.append(told(MODELS[name], times, refused))
        said.insert(0, opening(given, browser))
    sys.stdout.write("\n\n".join(said) + "\n")
    if given.page:
        page = section.replaced(given.page.read_text(encoding="utf-8"), HEADING, "\n\n".join(said))
        given.page.write_text(page, encoding="utf-8")
    return 0


def arguments() -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--loads", type=int, default=9, help="rounds of loading")
    parser.add_argument("--rounds", type=int, default=40, help="rounds of answers")
    parser.add_argument("--model", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--runtime", nargs="+", choices=RUNTIMES, default=list(RUNTIMES))
    parser.add_argument("--page", type=Path, help="writes the section of that page")
    given = parser.parse_args()
    given.runtime.sort(key=RUNTIMES.index)
    return given


def entered(name: str, runtimes: list[str], home: Path) -> tuple[list[Rival], dict[str, str]]:
    """The bundles of one model, built and proven; and which runtimes refused it."""
    workspace = Workspace()
    sys.stderr.write(f"building {name} for {', '.join(runtimes)}\n")
    return rivals(_settings(name, home, workspace), runtimes, home / name, workspace)


def measured(times: dict[str, Times], racing: list[Rival], loads: int, rounds: int) -> str:
    """Fills the times of each rival, by its name. Returns the browser's."""
    for order in figures.turns(loads, len(racing)):
        for rival in (racing[at] for at in order):
            _load_twice(rival, times[rival.name])
    with ExitStack() as stack:
        browser = stack.enter_context(_fresh())
        visits = [stack.enter_context(browser.visit(rival)) for rival in racing]
        for visit in visits:
            visit.load()
            for _ in range(WARM_UP):
                visit.ask()
        for order in figures.turns(rounds, len(visits)):
            for visit in (visits[at] for at in order):
                visit.ask()
                times[visit.rival.name].answers.append(visit.ask())
        return browser.name


def told(model: str, times: Mapping[str, Times], refused: Mapping[str, str]) -> str:
    """The table of one model, and below it who is not in it."""
    absent = "".join(f"\n- {runtime}: {why}" for runtime, why in refused.items())
    if not times:
        return f"{model}: no runtime takes it.\n{absent}"
    return f"{model}:\n\n{figures.table(times)}{absent}".rstrip()


def opening(given: argparse.Namespace, browser: str) -> str:
    """What was done, and how to do it again."""
    return f"""{browser} on {os.cpu_count()} cores, files from a server on the same machine, so that
loading takes what a network takes on top. Medians: of {given.loads} loads, and of {given.rounds}
answers, the runtimes taking turns; the last column is the median of the ratios within each round.
Every load is in a browser that was just started, and all answers are in one. A load ends when the
model can be asked; the first visit's megabytes are those that the build prints.

    .venv/bin/python benchmarks/web_latency.py --loads {given.loads} --rounds {given.rounds}"""


def _settings(name: str, home: Path, workspace: Workspace) -> Settings:
    if name in real.LICENCES:
        return real.settings(name, home / "samples", workspace)
    return config.read(EXAMPLE)


@contextmanager
def _fresh() -> Iterator[Profile]:
    """A browser that has never seen anything."""
    with tempfile.TemporaryDirectory() as home, started(Path(home) / "profile") as browser:
        yield browser


def _load_twice(rival: Rival, times: Times) -> None:
    # Of one that lives long Playwright at times takes an answer for another's.
    with _fresh() as browser, browser.visit(rival) as visit:
        cold, warm = visit.load(), visit.load()
    _check_cache(rival, cold, warm)
    times.cold.append(cold.seconds)
    times.warm.append(warm.seconds)
    times.first += [cold.first, warm.first]


def _check_cache(rival: Rival, cold: Loaded, warm: Loaded) -> None:
    """A load that finds an empty cache where it must be full, or the reverse, is no figure."""
    sys.stderr.write(f"{rival.name}: {cold.fetched:,} bytes, then {warm.fetched:,}\n")
    if not warm.fetched <= KEPT * cold.fetched:
        raise SystemExit(
            f"{rival.name} fetched {warm.fetched:,} bytes again, of {cold.fetched:,}: the "
            "browser's cache did not keep them; is the disk full?"
        )


if __name__ == "__main__":
    sys.exit(main())
