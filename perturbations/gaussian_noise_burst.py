"""Interference: noise in a run of frames."""

from perturbations._profile import profiled

gaussian_noise_burst = profiled("gaussian_noise", "burst")
