"""Three trained models through the tflite target: built, and judged in LiteRT.

    .venv/bin/python benchmarks/tflite_models.py
    .venv/bin/python benchmarks/tflite_models.py --everywhere

CREPE (the pitch of a sound), O-Net (three outputs) and attacut (integers in, two dynamic axes, one
of which is fixed). Their packages are downloaded once, 75 MB, into the cache (web/requirements.txt
says under which licences). `--everywhere` asks an emulated ARM and the old runtime too. Ends with
status 1 where one model is no PASS.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import section

from deploy_targets.workspace import Workspace
from mobile import proofs
from web import real

HEADING = "Trained models in LiteRT"
COMMAND = ".venv/bin/python benchmarks/tflite_models.py"
OPENING = """Three models from packages, built for the tflite target as a user would build them and
judged on real inputs. The errors are the largest of all cases and outputs."""


def main() -> int:
    """Prints the table. Returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", nargs="+", choices=list(real.LICENCES), default=real.LICENCES)
    parser.add_argument("--everywhere", action="store_true", help="also ARM and the old runtime")
    parser.add_argument("--page", type=Path, help="writes the section of that page")
    given = parser.parse_args()
    workspace = Workspace()
    found: list[proofs.Proof] = []
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        for name in given.model:
            settings = real.settings(name, home / "samples", workspace)
            found.append(proofs.prove(settings, home / name, given.everywhere, workspace))
            sys.stderr.write(f"{name}: {found[-1].verdict}\n")
    table = proofs.table(found)
    sys.stdout.write(table)
    if given.page:
        command = f"{COMMAND} --everywhere" if given.everywhere else COMMAND
        page = given.page.read_text(encoding="utf-8")
        body = f"{OPENING}\n\n    {command}\n\n{table}"
        given.page.write_text(section.replaced(page, HEADING, body), encoding="utf-8")
    return 0 if all(proof.verdict == "pass" for proof in found) else 1


if __name__ == "__main__":
    sys.exit(main())
