"""What TF.js's WebAssembly was seen to compute rightly, in a browser.

TensorFlow's operators in graph models, and with a "+" what its optimizer fuses into others. Written
by `benchmarks/tfjs_operators.py --seen FILE`; to add one, carry an ONNX operator that needs it.
"""

from __future__ import annotations

KERNELS = frozenset(
    (
        *("+BiasAdd", "+LeakyRelu", "+Relu", "+Relu6", "+Sigmoid", "Abs", "Acos", "Add"),
        *("AddV2", "ArgMax", "ArgMin", "Asin", "Atan", "AvgPool", "BatchMatMulV2", "BiasAdd"),
        *("BroadcastArgs", "BroadcastTo", "Cast", "Ceil", "ConcatV2", "Const", "Conv2D"),
        *("Conv2DBackpropInput", "Cos", "Cosh", "Cumsum", "DepthToSpace", "Equal", "Erf"),
        *("Exp", "ExpandDims", "Expm1", "Fill", "Floor", "FloorDiv", "FloorMod"),
        *("FusedDepthwiseConv2dNative", "GatherNd", "GatherV2", "Greater", "GreaterEqual"),
        *("Identity", "IsInf", "IsNan", "LeakyRelu", "Less", "LessEqual", "Log", "LogicalAnd"),
        *("LogicalNot", "LogicalOr", "MatMul", "Max", "MaxPool", "Maximum", "Mean", "Min"),
        *("Minimum", "MirrorPad", "Mul", "Neg", "NotEqual", "Pack", "Pad", "PadV2"),
        *("Placeholder", "Pow", "Prod", "Range", "RealDiv", "Reciprocal", "Relu", "Reshape"),
        *("ResizeBilinear", "Round", "Rsqrt", "SelectV2", "Shape", "Sigmoid", "Sign", "Sin"),
        *("Sinh", "Size", "Slice", "Softmax", "Split", "SplitV", "Sqrt", "Square", "Squeeze"),
        *("StridedSlice", "Sub", "Sum", "Tan", "Tanh", "Tile", "TopKV2", "Transpose"),
        *("_FusedConv2D", "_FusedMatMul"),
    )
)
