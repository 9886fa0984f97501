"""Runs ONNX graphs in OpenVINO. Standard input: jobs as JSON; it imports nothing of this project.

A job is {"graph", "golden", "out", "threads"}; beside `out` lands what the graph answered, or
`<out>.why` with the reason why it did not.
"""

import json
import sys

import numpy as np
import openvino


def answer(job):
    core = openvino.Core()
    # On some CPUs it would compute in bfloat16 unless told not to.
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": job["threads"]}
    compiled = core.compile_model(core.read_model(job["graph"]), "CPU", options)
    cases, outputs = {}, set()
    with np.load(job["golden"]) as archive:
        for key in archive.files:
            case, field, name = key.split("|", 2)
            if field == "inputs":
                cases.setdefault(case, {})[name] = archive[key]
            elif field == "outputs":
                outputs.add(name)
    said = {}
    for case, inputs in cases.items():
        given = {port: inputs[(port.names & set(inputs)).pop()] for port in compiled.inputs}
        for port, array in compiled(given).items():
            # A port bears the names of inner values, too.
            said[f"{case}|{(port.names & outputs).pop()}"] = np.array(array)
    np.savez(job["out"], **said)


for one in json.load(sys.stdin):
    try:
        answer(one)
    except Exception as error:
        with open(one["out"] + ".why", "w") as file:
            file.write(f"{type(error).__name__}: {str(error).strip().splitlines()[-1][:300]}")
