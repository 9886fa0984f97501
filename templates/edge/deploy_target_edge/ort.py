"""ONNX Runtime: a provider either runs the model here, or it is found out.

That a provider is listed says that its code was compiled in. Without its libraries ONNX Runtime
takes another one and only logs it; with them it may still leave every node to the CPU. So the
session is asked which providers it has, and one profiled run which of them ran anything.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter

from .errors import EdgeError, InvalidArgument, Unusable

CPU = "CPUExecutionProvider"
NAMES = {
    "ort-tensorrt": "TensorrtExecutionProvider",
    "ort-cuda": "CUDAExecutionProvider",
    "cpu": CPU,
}
"""Way -> provider, as ONNX Runtime calls it."""
EXACT = {"CUDAExecutionProvider": {"use_tf32": "0"}}
"""What keeps a provider from rounding to fewer bits than float32 has, where it knows the option."""


class OrtRuntime:
    """A session that runs the model by one provider, and by the CPU what that leaves."""

    def __init__(self, session, where, shares):
        self._session, self.where, self.shares = session, where, shares
        self._names = [node.name for node in session.get_outputs()]

    def run(self, inputs):
        """Name -> array of all outputs. Raises EdgeError with ONNX Runtime's own words."""
        try:
            return dict(zip(self._names, self._session.run(self._names, inputs)))
        except Exception as error:
            said = str(error).splitlines()[0]
            kind = InvalidArgument if type(error).__name__ == "InvalidArgument" else EdgeError
            raise kind(
                f"ONNX Runtime could not run the model: {said}",
                "ask within the shapes and axes of deploy-target.json",
            ) from None

    def close(self):
        """ONNX Runtime frees what it holds with the session."""
        self._session = None


def available(ort):
    """The ways that this ONNX Runtime was compiled for, the fastest first."""
    listed = ort.get_available_providers()
    return [way for way, provider in NAMES.items() if provider in listed]


def opened(path, provider, example, threads=0, ort=None):
    """An `OrtRuntime`. `example`: inputs to find out with which nodes the provider runs.

    Raises Unusable where the provider does not run here, or runs nothing of the model.
    """
    ort = ort or imported()
    if provider not in ort.get_available_providers():
        raise Unusable(
            f"ONNX Runtime {ort.__version__} was compiled without {provider}",
            f"it has {', '.join(ort.get_available_providers())}; for a Jetson's GPU take "
            "NVIDIA's wheel for its JetPack",
        )
    session = _session(ort, path, provider, threads)
    shares = _shares(ort, path, provider, example) if provider != CPU else {CPU: 1.0}
    if not shares.get(provider):
        raise Unusable(
            f"{provider} is there and takes no node of the model",
            "let it run on the CPU, or look at what the provider supports",
        )
    where = f"ONNX Runtime {ort.__version__}, {provider.replace('ExecutionProvider', '')}"
    if shares[provider] < 1.0:
        where += f" ({shares[provider]:.0%} of the nodes, the rest on the CPU)"
    return OrtRuntime(session, where, shares)


def imported():
    """The package. Raises Unusable."""
    try:
        import onnxruntime
    except ImportError as error:
        raise Unusable(
            f"onnxruntime cannot be imported: {error}",
            "pip install --no-deps --require-hashes -r requirements.txt",
        ) from None
    return onnxruntime


def _session(ort, path, provider, threads=0, profile=""):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, profile
    wanted = [provider] if provider == CPU else [provider, CPU]
    session = _made(ort, path, options, wanted, EXACT.get(provider))
    if session.get_providers()[0] != provider:
        raise Unusable(
            f"{provider} is listed and does not start: ONNX Runtime took "
            f"{session.get_providers()[0]} in its place",
            "its libraries are missing or of another version: see ONNX Runtime's table of them",
        )
    return session


def _made(ort, path, options, providers, exact):
    """The session, with settings that an older version may not know."""
    try:
        if exact:
            try:
                settled = [(providers[0], exact), *providers[1:]]
                return ort.InferenceSession(path, options, providers=settled)
            except (RuntimeError, ValueError):
                pass
        return ort.InferenceSession(path, options, providers=providers)
    except Exception as error:
        said = str(error).splitlines()[0]
        raise Unusable(
            f"{providers[0]} cannot load the model: {said}", "try the next way, or another version"
        ) from None


def _shares(ort, path, provider, example):
    """Provider -> share of the nodes that one run really gave it."""
    with tempfile.TemporaryDirectory() as folder:
        session = _session(ort, path, provider, profile=os.path.join(folder, "run"))
        session.run(None, example)
        with open(session.end_profiling(), encoding="utf-8") as file:
            events = json.load(file)
    ran = Counter(
        event["args"]["provider"]
        for event in events
        if event.get("cat") == "Node" and event.get("args", {}).get("provider")
    )
    return {name: count / sum(ran.values()) for name, count in ran.items()}
