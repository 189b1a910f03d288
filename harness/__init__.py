"""dferbench: honest, fast, reproducible comparison of dynamic facial expression recognition methods."""

__version__ = "0.1.0"
