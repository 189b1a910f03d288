"""One metric a file: numpy in, float out."""
