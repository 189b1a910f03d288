"""One yaml, one question."""
