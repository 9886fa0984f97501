"""Float16 weights in a .tflite, by ai-edge-quantizer: half the bytes, computed in float32.

In: a file, in a child process that has the packages of tflite_from_torch.LOCK. Out: the same file
with the weights of its convolutions, matrix products and embeddings in float16, each widened again
where it is used. What goes in and comes out stays float32, and signatures still share weights.
"""

from __future__ import annotations

from pathlib import Path

PACKAGE = "ai-edge-quantizer"
RECIPE = [
    {
        "regex": ".*",
        "operation": "*",
        "algorithm_key": "float_casting",
        "op_config": {
            "weight_tensor_config": {"num_bits": 16, "dtype": "FLOAT"},
            "compute_precision": "FLOAT",
            "explicit_dequantize": True,
        },
    }
]


def halve(file: Path) -> tuple[str, ...]:
    """Rewrites the file. Returns what a reader must know of it."""
    from ai_edge_quantizer.quantizer import (  # type: ignore[import-not-found,unused-ignore]
        Quantizer,
    )

    before = file.stat().st_size
    quantizer = Quantizer(str(file))
    quantizer.load_quantization_recipe(RECIPE)
    quantizer.quantize().export_model(str(file), overwrite=True)
    after = file.stat().st_size
    if after < before:
        return ()
    return (f"float16 weights make it no smaller: {after:,} bytes, {before:,} in float32",)
