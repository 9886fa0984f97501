"""TensorRT by its Python API: builds an engine on this device, and runs one.

Versions 8 to 10 differ in names alone, and what differs is asked for, not guessed from a version.
Memory of the GPU is CUDA's own (`cudart`), so that nothing but TensorRT has to be installed.
"""

from __future__ import annotations

import os
import subprocess

import numpy as np

from . import cudart
from .errors import EdgeError, InvalidArgument, Unusable

TRTEXEC = ("/usr/src/tensorrt/bin/trtexec", "/usr/bin/trtexec")
WORKSPACE = 1 << 30
SECONDS_TO_BUILD = 3600.0


class TrtRuntime:
    """An engine that was loaded, and its memory on the GPU."""

    def __init__(self, plan, where, trt=None, cuda=None):
        trt = trt or imported()
        self._cuda = cuda or cudart.Cuda()
        self._runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        with open(plan, "rb") as file:
            self._engine = self._runtime.deserialize_cuda_engine(file.read())
        if self._engine is None:
            raise Unusable(
                "TensorRT does not load the engine", "delete it, and build it again on this device"
            )
        self._context = self._engine.create_execution_context()
        self._stream = self._cuda.stream()
        self._memory = {}  # tensor -> (address, bytes)
        self._ports = _ports(trt, self._engine)
        self.where = where

    def run(self, inputs):
        """Name -> array of all outputs. Raises EdgeError for sizes that were not planned for."""
        fed = {name: self._given(name, array) for name, array in inputs.items()}
        for name, array in fed.items():
            if not _shaped(self._context, self._ports, name, array.shape):
                raise InvalidArgument(
                    f"{name} {list(array.shape)} is no size that the engine was built for",
                    "ask within the axes of deploy-target.json",
                )
            self._cuda.to_device(self._room(name, array.nbytes), array)
        outputs = {name: self._empty(name) for name, port in self._ports.items() if not port[1]}
        for name, array in outputs.items():
            self._room(name, array.nbytes)
        self._execute()
        for name, array in outputs.items():
            self._cuda.to_host(array, self._memory[name][0])
        return outputs

    def close(self):
        """Frees the GPU's memory."""
        for address, _ in self._memory.values():
            self._cuda.free(address)
        self._memory = {}
        self._context = self._engine = None

    def _given(self, name, array):
        wanted = self._ports[name][2]
        if array.dtype != wanted and wanted.kind in "iu" and array.size:
            limits = np.iinfo(wanted)
            if array.min() < limits.min or array.max() > limits.max:
                raise InvalidArgument(
                    f"{name} holds {array.min()}..{array.max()}, beyond {wanted}",
                    "TensorRT takes it in fewer bits; send smaller numbers",
                )
        return np.ascontiguousarray(array, wanted)

    def _room(self, name, size):
        address, had = self._memory.get(name, (None, -1))
        if had < size:
            if address is not None:
                self._cuda.free(address)
            address = self._cuda.allocate(size)
            self._memory[name] = (address, size)
        return address

    def _empty(self, name):
        shape = _shape_now(self._engine, self._context, self._ports, name)
        return np.empty(shape, self._ports[name][2])

    def _execute(self):
        if hasattr(self._context, "set_tensor_address"):
            for name in self._ports:
                self._context.set_tensor_address(name, self._memory[name][0])
            done = self._context.execute_async_v3(self._stream)
            self._cuda.wait(self._stream)
        else:
            done = self._context.execute_v2([self._memory[name][0] for name in self._ports])
        if not done:
            raise EdgeError("TensorRT could not run the engine", "see its log above")


def imported():
    """The package. Raises Unusable."""
    try:
        import tensorrt
    except ImportError as error:
        raise Unusable(
            f"tensorrt cannot be imported: {error}",
            "JetPack brings it for its own Python (python3-libnvinfer); make a virtual environment "
            "with --system-site-packages",
        ) from None
    return tensorrt


def build(model, key, profiles, timing="", trt=None):
    """An engine's bytes, made on this device. `profiles`: input -> (least, usual, most) shapes.

    Raises EdgeError with TensorRT's own words.
    """
    trt = trt or imported()
    words = []
    builder = trt.Builder(_logger(trt, words))
    network = builder.create_network(_explicit(trt))
    parser = trt.OnnxParser(network, _logger(trt, words))
    if not parser.parse_from_file(model):
        said = "; ".join(_said(parser.get_error(i)) for i in range(parser.num_errors))
        raise EdgeError(f"TensorRT {trt.__version__} does not take the model: {said}", OTHER_WAY)
    config = _configured(trt, builder, network, key, profiles)
    kept = _timing(config, timing)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        said = "; ".join(words[-3:]) or "it did not say why"
        raise EdgeError(f"TensorRT {trt.__version__} could not build an engine: {said}", OTHER_WAY)
    if kept:
        _write_timing(config, timing)
    return bytes(plan)


OTHER_WAY = "another precision may do; else ONNX Runtime runs the model (verify says which)"


def build_by_trtexec(model, key, profiles, timing, folder):
    """The same by JetPack's own program, where the Python package is not to be had."""
    program = next((path for path in TRTEXEC if os.access(path, os.X_OK)), None)
    if program is None:
        raise Unusable(f"there is no trtexec in {TRTEXEC[0]}", "sudo apt-get install tensorrt")
    plan = os.path.join(folder, "engine.plan")
    command = [program, f"--onnx={model}", f"--saveEngine={plan}", *_flags(key, profiles)]
    command += [f"--timingCacheFile={timing}"] if timing else []
    try:
        ran = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS_TO_BUILD
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise EdgeError(f"trtexec did not end as it should: {error}", OTHER_WAY) from None
    if ran.returncode or not os.path.isfile(plan):
        last = ran.stdout.decode("utf-8", "replace").strip().splitlines()[-3:]
        raise EdgeError(f"trtexec could not build an engine: {' '.join(last)}", OTHER_WAY)
    with open(plan, "rb") as file:
        return file.read()


def _flags(key, profiles):
    flags = {"fp16": ["--fp16"], "int8": ["--int8", "--fp16"]}.get(key.precision, ["--noTF32"])
    if key.dla >= 0:
        flags += [f"--useDLACore={key.dla}", "--allowGPUFallback"]
    for name, which in (("minShapes", 0), ("optShapes", 1), ("maxShapes", 2)):
        sized = [f"{i}:{'x'.join(map(str, sizes[which]))}" for i, sizes in profiles.items()]
        flags += [f"--{name}={','.join(sized)}"] if sized else []
    return flags


def _configured(trt, builder, network, key, profiles):
    config = builder.create_builder_config()
    if hasattr(config, "set_memory_pool_limit"):
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE)
    else:
        config.max_workspace_size = WORKSPACE
    for flag in {"fp16": ["FP16"], "int8": ["INT8", "FP16"]}.get(key.precision, []):
        if not hasattr(trt.BuilderFlag, flag):
            raise Unusable(
                f"TensorRT {trt.__version__} has no {flag} that can be asked for",
                "build fp32, or give it a model whose types say so themselves",
            )
        config.set_flag(getattr(trt.BuilderFlag, flag))
    if key.precision == "fp32" and hasattr(trt.BuilderFlag, "TF32"):
        config.clear_flag(trt.BuilderFlag.TF32)  # it has 10 bits of 23
    if key.dla >= 0:
        config.default_device_type, config.DLA_core = trt.DeviceType.DLA, key.dla
        config.set_flag(trt.BuilderFlag.GPU_FALLBACK)
    if any(-1 in tuple(network.get_input(i).shape) for i in range(network.num_inputs)):
        profile = builder.create_optimization_profile()
        for name, sizes in profiles.items():
            profile.set_shape(name, *sizes)
        config.add_optimization_profile(profile)
    return config


def _explicit(trt):
    flag = getattr(trt.NetworkDefinitionCreationFlag, "EXPLICIT_BATCH", None)
    return 0 if flag is None else 1 << int(flag)


def _timing(config, path):
    if not path or not hasattr(config, "create_timing_cache"):
        return False
    held = b""
    if os.path.isfile(path):
        with open(path, "rb") as file:
            held = file.read()
    return bool(config.set_timing_cache(config.create_timing_cache(held), False))


def _write_timing(config, path):
    beside = f"{path}.{os.getpid()}.part"
    try:
        with open(beside, "wb") as file:
            file.write(bytes(config.get_timing_cache().serialize()))
        os.replace(beside, path)
    except OSError:
        # It only makes the next build faster.
        if os.path.exists(beside):
            os.remove(beside)


def _ports(trt, engine):
    """Name -> (index, whether it goes in, dtype), in the engine's own order."""
    if hasattr(engine, "num_io_tensors"):
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        goes_in = trt.TensorIOMode.INPUT
        return {
            name: (
                i,
                engine.get_tensor_mode(name) == goes_in,
                np.dtype(trt.nptype(engine.get_tensor_dtype(name))),
            )
            for i, name in enumerate(names)
        }
    return {
        engine.get_binding_name(i): (
            i,
            engine.binding_is_input(i),
            np.dtype(trt.nptype(engine.get_binding_dtype(i))),
        )
        for i in range(engine.num_bindings)
    }


def _shaped(context, ports, name, shape):
    if hasattr(context, "set_input_shape"):
        return context.set_input_shape(name, tuple(shape))
    return context.set_binding_shape(ports[name][0], tuple(shape))


def _shape_now(engine, context, ports, name):
    if hasattr(engine, "num_io_tensors"):
        return tuple(context.get_tensor_shape(name))
    return tuple(context.get_binding_shape(ports[name][0]))


def _logger(trt, words):
    class Heard(trt.ILogger):
        """Keeps what matters, for the error."""

        def __init__(self):
            trt.ILogger.__init__(self)

        def log(self, severity, message):
            if severity in (trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR):
                words.append(message)

    return Heard()


def _said(error):
    at = f" (node {error.node_name()})" if hasattr(error, "node_name") else ""
    return f"{error.desc()}{at}"
