"""A detector's box too small and off centre: the frame shows less than the face."""

from perturbations._misaligned import misaligned

misaligned_crop = misaligned("Misaligned crop, tight", (0.9, 0.8, 0.7, 0.6, 0.5))
