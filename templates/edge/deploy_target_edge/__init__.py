"""A bundle on the device that it was made for: proves it there, measures it, serves it.

    python3 -m deploy_target_edge info | build-engine | verify | bench | infer | serve

Read it in the order in which a model comes to life.

    folder     the bundle: its manifest, and whether each file is what was sealed
    tensors    safetensors <-> numpy
    device     which machine this is: GPU, memory, versions
    ladder     TensorRT engine, TensorRT in ONNX Runtime, CUDA, CPU: the first that is proven runs
    ort        ONNX Runtime, and which of its providers really take the model
    trt        TensorRT: builds an engine, and runs one     (cudart: memory of the GPU)
    engines    engines on disk, by what they were made of; never one that is another's
    proof      the original's questions, and the verdict on the answers     (judging: on one output)
    bench      latency, throughput, power
    service    the Open Inference Protocol on a port

It imports the standard library and numpy, and TensorRT or ONNX Runtime where they are. `compare`,
`judge` and `stages` are added when a bundle is built: they are what judged it there.
"""

import os
import sys


def _leave_no_bytecode():
    """The folder stays what was sealed; of this file alone it was written before this line ran."""
    sys.dont_write_bytecode = True
    try:
        os.remove(__cached__)
        os.rmdir(os.path.dirname(__cached__))
    except (NameError, OSError, TypeError):
        pass  # none was written, or it is not ours to remove


_leave_no_bytecode()
