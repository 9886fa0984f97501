"""Files, decoders, and how far the decoders are from Pillow."""
