"""Clips, folds, decoding, frame sampling and the packed clip store."""
