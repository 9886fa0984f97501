"""The first way of running the model that is to be had here and is proven right.

    tensorrt-int8, tensorrt-fp16, tensorrt-fp32   an engine that was built on this device
    ort-tensorrt, ort-cuda                        ONNX Runtime with the GPU
    cpu                                           ONNX Runtime without

Of each that is passed over it is said why. Nothing serves that was not proven: the first run of an
engine, a runtime or a bundle asks every golden question.
"""

from __future__ import annotations

from typing import NamedTuple

from . import device, engines, ort, trt
from .errors import EdgeError, NotProven, Unusable
from .proof import Proofs, prove

TENSORRT = "tensorrt-"
WAYS = ("tensorrt-int8", "tensorrt-fp16", "tensorrt-fp32", "ort-tensorrt", "ort-cuda", "cpu")


class Step(NamedTuple):
    """A way that was tried, and why it was not taken: "" where it was."""

    way: str
    why: str


class Taken(NamedTuple):
    """What runs, and what was passed over."""

    way: str
    runtime: object
    steps: list[Step]
    proof: object  # None where it was proven earlier


class Host:
    """What this device has: tests put others in its place."""

    def __init__(self, home=None):
        self.engines = engines.Engines(home or engines.home())
        self.proofs = Proofs(self.engines.home)
        self.device = device.this()

    def tensorrt(self):
        """The package. Raises Unusable."""
        return trt.imported()

    def onnxruntime(self):
        """The package. Raises Unusable."""
        return ort.imported()

    def load(self, plan, where):
        """An engine from disk. Raises Unusable."""
        return trt.TrtRuntime(plan, where, self.tensorrt())

    def build(self, model, key, profiles):
        """An engine's bytes. Raises EdgeError."""
        return trt.build(model, key, profiles, self.engines.timing(key), self.tensorrt())


def take(folder, host, ways=(), *, again=False, threads=0, tell=print):
    """The first of the ways that is proven. Raises NotProven, where all of them are wrong or none.

    `again`: ask golden although it was asked before. `tell`: called with each sentence.
    """
    steps, wrong = [], False
    for way in ways or offered(folder, host):
        runtime, proof, why = _tried(folder, host, way, again, threads)
        if proof is not None or why:
            tell(f"{way}: {why or proof.said()}")
        steps.append(Step(way, why))
        if runtime is not None:
            return Taken(way, runtime, steps, proof)
        wrong = wrong or proof is not None
    said = "; ".join(f"{step.way}: {step.why}" for step in steps)
    hint = "do not serve it; send the recording (verify --out FILE) to whoever built the bundle"
    raise NotProven(f"nothing runs the model as the original does. {said}", hint if wrong else SEE)


def _tried(folder, host, way, again, threads):
    """A runtime or None, its proof where golden was asked, and why it is not taken: "" if it is."""
    try:
        runtime, identity = opened(folder, host, way, threads)
    except (EdgeError, OSError, RuntimeError) as error:
        return None, None, str(error)
    if not again and host.proofs.holds(folder, identity):
        return runtime, None, ""
    try:
        proof = prove(folder, runtime, recipe_of(folder, way))
    except Exception as error:  # whatever native code says at its first run: the next way is tried
        runtime.close()
        return None, None, f"its first run failed: {error}"
    host.proofs.keep(folder, identity, proof)
    if proof.passed:
        return runtime, proof, ""
    runtime.close()
    return None, proof, proof.said()


SEE = "`python3 -m deploy_target_edge info` says what this device has"


def offered(folder, host):
    """The ways worth trying, the fastest first: precisions of which the bundle knows a bound."""
    recipes = set(folder.manifest["bounds"])
    return [way for way in WAYS if not way.startswith(TENSORRT) or way[len(TENSORRT) :] in recipes]


def recipe_of(folder, way):
    """By which bounds a way is judged: those of its precision."""
    if way.startswith(TENSORRT):
        return way[len(TENSORRT) :]
    lanes = {lane["name"]: lane["recipe"] for lane in folder.manifest["lanes"]}
    return lanes.get(way, folder.manifest["lanes"][0]["recipe"])


def opened(folder, host, way, threads=0):
    """A runtime, and what it is: the identity of a proof. Raises EdgeError."""
    if way.startswith(TENSORRT):
        return _engine(folder, host, way)
    if way not in ort.NAMES:
        raise EdgeError(f"there is no way {way!r}", f"name one of {', '.join(WAYS)}")
    module = host.onnxruntime()
    runtime = ort.opened(folder.model, ort.NAMES[way], example(folder), threads=threads, ort=module)
    return runtime, f"{way} {module.__version__} {host.device}"


def _engine(folder, host, way):
    module = host.tensorrt()
    precision = way[len(TENSORRT) :]
    if precision not in folder.manifest["bounds"]:
        raise Unusable(
            f"the bundle has no bounds for {precision}, so an engine could not be judged",
            f"it has {', '.join(sorted(folder.manifest['bounds']))}",
        )
    key = key_of(folder, host, precision, module.__version__)
    where = f"TensorRT {module.__version__}, {precision}"
    plan, _ = host.engines.find(key)
    if plan:
        try:
            return host.load(plan, where), _identity(way, plan, host)
        except Unusable:
            pass  # whole, and yet not to be loaded here: built again below
    plan = host.engines.keep(key, host.build(folder.model, key, profiles_of(folder)))
    return host.load(plan, where), _identity(way, plan, host)


def _identity(way, plan, host):
    # Built twice the same engine may choose other kernels, so a proof is of these very bytes.
    return f"{way} {engines.digest_of(plan)} {host.device}"


def key_of(folder, host, precision, version, dla=-1):
    """What an engine for this bundle on this device is made of."""
    profile = ";".join(f"{name}{sizes}" for name, sizes in sorted(profiles_of(folder).items()))
    found = host.device
    return engines.Key(
        found.gpu, found.capability, version, precision, folder.model_digest, profile, dla
    )


def profiles_of(folder):
    """Input -> its least, usual and most shape; of inputs that have an axis of several sizes."""
    axes = {axis["name"]: axis for axis in folder.signature["axes"]}
    found = {}
    for spec in folder.signature["inputs"]:
        if any(dim in axes for dim in spec["shape"] if isinstance(dim, str)):
            found[spec["name"]] = tuple(_sized(spec["shape"], axes, which) for which in range(3))
    return found


def _sized(shape, axes, which):
    def size(dim):
        axis = axes.get(dim)
        if axis is None:
            return int(dim)
        # One answer at a time is what a device is usually asked.
        return (axis["minimum"], axis["minimum"], axis["maximum"])[which]

    return tuple(size(dim) for dim in shape)


def example(folder):
    """Inputs that the model takes: golden's, else zeros of the least sizes."""
    import numpy as np

    for case in folder.cases():
        if case.golden == "tensors":
            return dict(case.inputs)
    axes = {axis["name"]: axis for axis in folder.signature["axes"]}
    return {
        spec["name"]: np.zeros(_sized(spec["shape"], axes, 0), spec["dtype"])
        for spec in folder.signature["inputs"]
    }
