"""Golden, measuring, judging: whether an artifact answers as the original does."""
