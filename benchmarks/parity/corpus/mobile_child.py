"""Converts exported programs for phones and runs them there. It imports nothing of this project.

Standard input: jobs as JSON, each {"graph", "how", "golden", "out", "inputs", "outputs"}; beside
`out` lands what was answered, or `<out>.why`. LiteRT's sizes are fixed, and each takes a conversion
of its own: the cases of the two smallest are asked.
"""

import json
import signal
import sys

import litert_torch
import numpy as np
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime

SECONDS, SIZES = 150, 2


def answer(job):
    cases = {}
    with np.load(job["golden"]) as archive:
        for key in archive.files:
            case, field, name = key.split("|", 2)
            if field == "inputs":
                cases.setdefault(case, {})[name] = archive[key]
    program = torch.export.load(job["graph"])
    ask = {"litert.litert": litert}.get(job["how"], executorch)
    said = {}
    for case, outputs in ask(program, cases, job):
        for name, array in zip(job["outputs"], outputs, strict=True):
            said[f"{case}|{name}"] = np.array(array)
    np.savez(job["out"], **said)


def litert(program, cases, job):
    shapes = {}
    for case, inputs in cases.items():
        key = tuple(inputs[name].shape for name in job["inputs"])
        shapes.setdefault(key, []).append(case)
    smallest = sorted(shapes, key=lambda key: sum(np.prod(shape) for shape in key))[:SIZES]
    for key in smallest:
        first = tensors(cases[shapes[key][0]], job)
        lowered = litert_torch.convert(program.module(), first)
        for case in shapes[key]:
            found = lowered(*tensors(cases[case], job))
            yield case, found if isinstance(found, list | tuple) else [found]


def executorch(program, cases, job):
    partitioner = [XnnpackPartitioner()] if job["how"].startswith("xnnpack") else []
    lowered = to_edge_transform_and_lower(program, partitioner=partitioner).to_executorch()
    method = Runtime.get().load_program(lowered.buffer).load_method("forward")
    for case, inputs in cases.items():
        yield case, [out.numpy().copy() for out in method.execute(tensors(inputs, job))]


def tensors(inputs, job):
    return tuple(torch.from_numpy(inputs[name]) for name in job["inputs"])


def late(*_):
    raise TimeoutError(f"more than {SECONDS} s of processor time")


# Seconds of its own, however busy the machine; and not while modules are imported, which an
# interruption would leave half made for every job that follows.
signal.signal(signal.SIGPROF, late)
for one in json.load(sys.stdin):
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        answer(one)
    except BaseException as error:
        text = str(error).strip().partition("\n")[0][:300]
        with open(one["out"] + ".why", "w") as file:
            file.write(f"{type(error).__name__}: {text}")
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
