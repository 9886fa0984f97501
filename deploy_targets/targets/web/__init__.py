"""The browser: a static folder that runs the model with onnxruntime-web, proven in Chromium."""
