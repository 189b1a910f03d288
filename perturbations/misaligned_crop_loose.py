"""A detector's box too large and off centre: the face shows smaller, edges repeated."""

from perturbations._misaligned import misaligned

misaligned_crop_loose = misaligned("Misaligned crop, loose", (1.1, 1.2, 1.35, 1.5, 1.75))
