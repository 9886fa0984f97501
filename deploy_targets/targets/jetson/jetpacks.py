"""The releases of JetPack: what each has, and so which graph it reads.

Sources: NVIDIA's release notes of JetPack (Python, TensorRT), the operators that are listed with
each version of the ONNX parser of TensorRT (opset), PyPI (the last ONNX Runtime with a wheel for
that Python on 64-bit ARM). To add one: a line here, and a lock in templates/edge/requirements.
"""

from __future__ import annotations

from deploy_targets.edge.system import System

JETPACKS = {
    "4": System(
        name="jetpack4",
        said="JetPack 4",
        python="3.6",
        onnxruntime="1.10.0",
        pythons=("3.6", "3.7", "3.8", "3.9"),
        opset=13,
        ir=7,
        cpu="cortex-a57",
        emulated="bullseye",
        tensorrt="8.2",
    ),
    "5": System(
        name="jetpack5",
        said="JetPack 5",
        python="3.8",
        onnxruntime="1.19.2",
        pythons=("3.8", "3.9", "3.10", "3.11"),
        opset=17,
        ir=8,
        cpu="cortex-a76",
        emulated="bookworm",
        tensorrt="8.5",
    ),
    "6": System(
        name="jetpack6",
        said="JetPack 6",
        python="3.10",
        onnxruntime="1.23.2",
        pythons=("3.10", "3.11", "3.12", "3.13"),
        opset=17,
        ir=8,
        cpu="cortex-a76",
        emulated="trixie",
        tensorrt="8.6",
        image="nvcr.io/nvidia/l4t-jetpack:r36.4.0",
    ),
    "7": System(
        name="jetpack7",
        said="JetPack 7",
        python="3.12",
        onnxruntime="1.31.1",
        pythons=("3.12", "3.13", "3.11"),
        opset=20,
        ir=10,
        cpu="cortex-a76",
        emulated="trixie",
        tensorrt="10.13",
        image="nvcr.io/nvidia/tensorrt:25.08-py3",
    ),
}
"""Nano, TX2 and Xavier end at 4 or 5; Orin has 5 and 6; Thor begins with 7. JetPack 6.0 brings
TensorRT 8.6, later ones 10.3: a graph for the former runs on both."""
