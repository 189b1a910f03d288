"""Intervals, ranks and comparisons from stored predictions."""
