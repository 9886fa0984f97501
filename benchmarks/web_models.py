"""Three trained models through the web target: built, and judged in a real Chromium.

    .venv/bin/python benchmarks/web_models.py
    .venv/bin/python benchmarks/web_models.py --runtime onnxruntime-web litert tfjs auto

CREPE (the pitch of a sound), O-Net (three outputs) and attacut (integers in, two dynamic axes).
Their packages are downloaded once, 75 MB, into the cache (web/requirements.txt says under which
licences). Ends with status 1 where onnxruntime-web was asked for and one model is no PASS on it;
what another runtime refuses, it prints.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import section

from deploy_targets.workspace import Workspace
from web import proofs, real

REQUIRED = "onnxruntime-web"
RUNTIMES = (REQUIRED, "litert", "tfjs", "auto")

HEADING = "Trained models in the browser"
COMMAND = ".venv/bin/python benchmarks/web_models.py --runtime"
OPENING = """Three models from packages, built and judged in Chromium as a user would build them: on
real inputs, and at sizes that were not seen when the graph was captured. The errors are the largest
of all cases, outputs and lanes; milliseconds are medians over questions of all sizes."""


def main() -> int:
    """Prints the table. Returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runtime", nargs="+", choices=RUNTIMES, default=[REQUIRED])
    parser.add_argument("--model", nargs="+", choices=list(real.LICENCES), default=real.LICENCES)
    parser.add_argument("--page", type=Path, help="writes the section of that page")
    given = parser.parse_args()
    workspace = Workspace()
    found: list[proofs.Proof] = []
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        for name in given.model:
            settings = real.settings(name, home / "samples", workspace)
            for runtime in given.runtime:
                out = home / f"{name}-{runtime}"
                found.append(proofs.prove(settings, runtime, out, workspace))
                # A sweep of all runtimes takes minutes.
                sys.stderr.write(f"{name} for {runtime}: {found[-1].verdict}\n")
    table = proofs.table(found)
    sys.stdout.write(table)
    if given.page:
        body = f"{OPENING}\n\n    {COMMAND} {' '.join(given.runtime)}\n\n{table}"
        page = section.replaced(given.page.read_text(encoding="utf-8"), HEADING, body)
        given.page.write_text(page, encoding="utf-8")
    missing = proofs.missing(found, REQUIRED)
    sys.stdout.write("".join(f"\n{one}\n" for one in missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
