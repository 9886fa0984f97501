"""What benchmarks/tflite_onnx.py runs in onnx2tf's environment."""
