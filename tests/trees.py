"""A small tree laid out like each data set on disk, by ``write_<name>``; clips are named files without content."""

from tiny_clips import write_dfew

__all__ = ["write_dfew"]
