"""A dim and noisy recording with little contrast."""

from perturbations._combine import combination

combined_night = combination(
    "Combined: dark, noisy, flat",
    {
        "brightness_down": (1, 2, 2, 3, 3),
        "gaussian_noise": (1, 2, 2, 2, 2),
        "contrast_down": (1, 1, 2, 3, 4),
    },
    source="RAF-DB-C combined shifts (MIVIA 2022)",
)
