"""One training objective a file."""
