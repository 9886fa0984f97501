"""numpy arrays <-> torch tensors, always by copy: a model that writes into its input, or hands out
its weights, can change nothing here. bfloat16 travels as ml_dtypes' bfloat16.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deploy_targets.errors import ConfigError, UnsupportedModel
from deploy_targets.records import Array, Signature, Tensors, TensorSpec

if TYPE_CHECKING:
    import torch

FLOATS = frozenset({"float16", "float32", "float64", "bfloat16"})
INTEGERS = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
DTYPES = FLOATS | INTEGERS | {"bool"}
"""What may cross the boundary of a model."""


def dtype_of(name: str) -> np.dtype[np.generic]:
    """The numpy dtype of that name, bfloat16 included."""
    if name == "bfloat16":
        import ml_dtypes

        wide: np.dtype[np.generic] = np.dtype(ml_dtypes.bfloat16)
        return wide
    return np.dtype(name)


def check_dtype(name: str, dtype: str) -> str:
    """The dtype, or UnsupportedModel naming the tensor that has it."""
    if dtype in DTYPES:
        return dtype
    hints = {
        "str": "map the strings to integers before the model",
        "complex": "return torch.view_as_real(x), two real numbers for each",
    }
    hint = next((h for key, h in hints.items() if dtype.startswith(key)), "cast it in the model")
    raise UnsupportedModel(f"{name} is {dtype}, which no target carries", hint=hint)


def check_inputs(signature: Signature, inputs: Tensors) -> None:
    """Raises ConfigError where an array's name, dtype or shape is not the declared one."""
    known = {spec.name for spec in signature.inputs}
    if known != set(inputs):
        raise ConfigError(
            f"the inputs given are {sorted(inputs)}, the model's are {sorted(known)}",
            hint="give one array for each input, by name",
        )
    for spec in signature.inputs:
        _check_input(spec, inputs[spec.name])


def _check_input(spec: TensorSpec, array: Array) -> None:
    fits = len(spec.shape) == array.ndim and all(
        isinstance(dim, str) or dim == size
        for dim, size in zip(spec.shape, array.shape, strict=True)
    )
    if array.dtype.name != spec.dtype or not fits:
        shape = ", ".join(map(str, spec.shape))
        raise ConfigError(
            f"input {spec.name} is {array.dtype.name}{list(array.shape)}, "
            f"expected {spec.dtype}[{shape}]",
            hint="cast or reshape it; nothing is converted silently",
        )


def to_tensor(array: Array) -> torch.Tensor:
    """A torch tensor of the same dtype."""
    import torch

    own = np.array(array, order="C", copy=True)
    if own.dtype.name == "bfloat16":
        return torch.from_numpy(own.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(own)


def to_array(name: str, tensor: torch.Tensor) -> Array:
    """A numpy array of the same dtype. Raises UnsupportedModel where numpy or a target has none."""
    import torch

    if tensor.layout is not torch.strided or tensor.is_quantized:
        raise UnsupportedModel(
            f"{name} is a sparse or quantized tensor", hint="return a dense one: x.to_dense()"
        )
    check_dtype(name, str(tensor.dtype).removeprefix("torch."))
    plain = tensor.detach().cpu().resolve_neg().contiguous().clone()
    if plain.dtype is torch.bfloat16:
        return plain.view(torch.int16).numpy().view(dtype_of("bfloat16"))
    array: Array = plain.numpy()
    return array
