"""Memory of the GPU, by CUDA's own library: JetPack has it, and no Python package for it.

Raises OSError where there is no CUDA, RuntimeError with CUDA's own words where a call fails.
"""

from __future__ import annotations

import ctypes
import ctypes.util

TO_DEVICE, TO_HOST = 1, 2
NAMES = ("libcudart.so", "libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0")
MAJOR, MINOR = 75, 76
"""Attributes of a device: its compute capability."""


class Cuda:
    """CUDA's runtime library, loaded."""

    def __init__(self):
        self._lib = _library()
        self._lib.cudaGetErrorString.restype = ctypes.c_char_p
        count = ctypes.c_int()
        self._check(self._lib.cudaGetDeviceCount(ctypes.byref(count)))
        if not count.value:
            raise RuntimeError("CUDA finds no GPU")

    def device(self):
        """Name and compute capability of the first GPU: ("Orin", "8.7")."""
        # cudaDeviceProp begins with the name; its length differs from version to version.
        memory = ctypes.create_string_buffer(1 << 14)
        self._check(self._lib.cudaGetDeviceProperties(memory, 0))
        major, minor = (self._attribute(which) for which in (MAJOR, MINOR))
        return memory.value.decode("utf-8", "replace"), f"{major}.{minor}"

    def allocate(self, size):
        """An address on the GPU of so many bytes; free it."""
        address = ctypes.c_void_p()
        self._check(self._lib.cudaMalloc(ctypes.byref(address), ctypes.c_size_t(max(size, 1))))
        return address.value

    def free(self, address):
        """Gives back what `allocate` gave."""
        self._check(self._lib.cudaFree(ctypes.c_void_p(address)))

    def to_device(self, address, array):
        """Copies a contiguous array there."""
        self._copy(address, array.ctypes.data, array.nbytes, TO_DEVICE)

    def to_host(self, array, address):
        """Fills a contiguous array from there."""
        self._copy(array.ctypes.data, address, array.nbytes, TO_HOST)

    def stream(self):
        """A stream; one lives as long as its engine."""
        made = ctypes.c_void_p()
        self._check(self._lib.cudaStreamCreate(ctypes.byref(made)))
        return made.value

    def wait(self, stream):
        """Until all that was put on the stream is done."""
        self._check(self._lib.cudaStreamSynchronize(ctypes.c_void_p(stream)))

    def _copy(self, to, source, size, way):
        if size:
            self._check(
                self._lib.cudaMemcpy(
                    ctypes.c_void_p(to), ctypes.c_void_p(source), ctypes.c_size_t(size), way
                )
            )

    def _attribute(self, which):
        value = ctypes.c_int()
        self._check(self._lib.cudaDeviceGetAttribute(ctypes.byref(value), which, 0))
        return value.value

    def _check(self, status):
        if status:
            raise RuntimeError(f"CUDA: {self._lib.cudaGetErrorString(status).decode()}")


def _library():
    found = ctypes.util.find_library("cudart")
    for name in (*NAMES, *([found] if found else ())):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise OSError("there is no libcudart here")
