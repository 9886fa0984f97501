"""The commands. Each takes the bundle's folder: by default the one that this program lies in."""

from __future__ import annotations

import argparse
import json
import os
import sys

from . import bench, engines, ladder, proof, tensors
from .errors import EdgeError
from .folder import Folder

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
WRITABLE = "see that it is there, that you may read or write it, and that the disk has room"
PROGRAM = "python3 -m deploy_target_edge"


def main(arguments=None, host=None):
    """Runs a command; its exit status."""
    asked = _parser().parse_args(arguments)
    try:
        folder = Folder(asked.bundle)
        folder.check()
        return asked.command(asked, folder, host or ladder.Host(asked.engines))
    except EdgeError as error:
        tell(f"{error}\n  {error.hint}")
        return error.status
    except OSError as error:
        tell(f"{error.filename or 'this device'}: {error.strerror}\n  {WRITABLE}")
        return EdgeError.status
    except KeyboardInterrupt:
        return 130


def info(asked, folder, host):
    """What this device has, and which ways there are."""
    print(f"{folder.manifest['name']}: {host.device}")
    for way in ladder.offered(folder, host):
        try:
            runtime, _ = _present(folder, host, way)
        except EdgeError as error:
            print(f"  {way:<14} no: {error}")
            continue
        print(f"  {way:<14} {runtime}")
    return 0


def build_engine(asked, folder, host):
    """Builds, proves and keeps an engine of one precision."""
    way = f"{ladder.TENSORRT}{asked.precision}"
    if asked.rebuild:
        module = host.tensorrt()
        key = ladder.key_of(folder, host, asked.precision, module.__version__)
        host.engines.keep(key, host.build(folder.model, key, ladder.profiles_of(folder)))
    taken = ladder.take(folder, host, [way], again=True, tell=tell)
    print(f"{taken.runtime.where}: {taken.proof.said()}")
    return 0


def verify(asked, folder, host):
    """Asks golden of one way, or of the first that is proven, and writes the answers down."""
    kept = {}
    taken = ladder.take(folder, host, asked.way, again=True, threads=asked.threads, tell=tell)
    if asked.out:
        proof.prove(folder, taken.runtime, ladder.recipe_of(folder, taken.way), kept)
        lane = asked.lane or taken.way
        proof.record(asked.out, folder, lane, taken.runtime.where, host.device, kept)
    print(f"{taken.runtime.where}: {taken.proof.said()}")
    return 0


def measure(asked, folder, host):
    """Times every way that is proven, in turns."""
    runtimes = {}
    for way in asked.way or ladder.offered(folder, host):
        try:
            runtimes[way] = ladder.take(
                folder, host, [way], threads=asked.threads, tell=tell
            ).runtime
        except EdgeError:
            continue  # said already
    if not runtimes:
        raise EdgeError("nothing is proven here, so nothing is timed", f"{PROGRAM} verify")
    rows, said = bench.watched(runtimes, ladder.example(folder), asked.rounds)
    if asked.json:
        print(json.dumps({"device": str(host.device), "rows": rows, **said}, indent=1))
        return 0
    for row in rows:
        times = "  ".join(f"{name} {value:.2f}" for name, value in row.items() if name not in SHOWN)
        print(f"{row['way']:<14} {times}  {row['where']}")
    for what in ("watts", "tegrastats", "celsius"):
        if said[what]:
            print(f"{what}: " + ", ".join(f"{k} {v:.2f}" for k, v in sorted(said[what].items())))
    return 0


SHOWN = ("way", "where")


def infer(asked, folder, host):
    """Answers to the tensors in a file, by what is proven."""
    taken = ladder.take(folder, host, asked.way, threads=asked.threads, tell=tell)
    inputs, _ = tensors.read(asked.inputs)
    wanted = {spec["name"]: spec for spec in folder.signature["inputs"]}
    for name, spec in wanted.items():
        if name not in inputs or inputs[name].dtype.name != spec["dtype"]:
            found = f"{inputs[name].dtype.name}" if name in inputs else "nothing"
            raise EdgeError(
                f"{asked.inputs}: {name} is {found}, expected {spec['dtype']} {spec['shape']}",
                "write it with safetensors under that name",
            )
    answer = taken.runtime.run({name: inputs[name] for name in wanted})
    tensors.write(asked.out, answer, {"runtime": taken.runtime.where})
    print(f"{taken.runtime.where}: {asked.out}")
    return 0


def serve(asked, folder, host):
    """The Open Inference Protocol on a port, by what is proven."""
    from . import service

    service.ready()
    taken = ladder.take(folder, host, asked.way, threads=asked.threads, tell=tell)
    return service.serve(folder, taken.runtime, asked.host, asked.port)


def tell(sentence):
    """Says something about the work, apart from its result."""
    print(sentence, file=sys.stderr, flush=True)


def _present(folder, host, way):
    if not way.startswith(ladder.TENSORRT):
        runtime, identity = ladder.opened(folder, host, way)
        return runtime.where, identity
    version = host.tensorrt().__version__
    key = ladder.key_of(folder, host, way[len(ladder.TENSORRT) :], version)
    plan, why = host.engines.find(key)
    return f"TensorRT {version}, engine: {plan or why}", ""


def _parser():
    parser = argparse.ArgumentParser(prog=PROGRAM, description=__doc__.partition("\n")[0])
    parser.add_argument("--bundle", default=HOME, help="the bundle's folder")
    parser.add_argument("--engines", default=None, help=f"where engines lie ({engines.home()})")
    commands = parser.add_subparsers(metavar="COMMAND")
    commands.required = True

    def command(name, run):
        made = commands.add_parser(name, help=run.__doc__)
        made.set_defaults(command=run)
        return made

    command("info", info)
    built = command("build-engine", build_engine)
    built.add_argument("--precision", choices=("fp32", "fp16", "int8"), default="fp16")
    built.add_argument("--rebuild", action="store_true", help="although one is there")
    asked = command("verify", verify)
    asked.add_argument("--out", help="write the answers for `deploy-target verify --actual`")
    asked.add_argument("--lane", help="the lane that they are of (the way's own name)")
    timed = command("bench", measure)
    timed.add_argument("--rounds", type=int, default=200)
    timed.add_argument("--json", action="store_true")
    run = command("infer", infer)
    run.add_argument("inputs", help="a safetensors file")
    run.add_argument("--out", default="answer.safetensors")
    served = command("serve", serve)
    served.add_argument("--host", default="127.0.0.1")
    served.add_argument("--port", type=int, default=8000)
    for each in (asked, timed, run, served):
        each.add_argument("--way", action="append", choices=ladder.WAYS, help="try these alone")
        each.add_argument("--threads", type=int, default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
