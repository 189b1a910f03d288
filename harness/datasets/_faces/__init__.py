"""Faces drawn from parameters and animated by facial action units: the content of the data set ``synthetic``."""
