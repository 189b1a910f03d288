"""A dim recording of few pixels."""

from perturbations._combine import combination

combined_pixelate = combination(
    "Combined: pixelated, dark, flat",
    {
        "pixelate": (1, 2, 2, 3, 3),
        "brightness_down": (1, 2, 2, 2, 3),
        "contrast_down": (1, 1, 2, 3, 4),
    },
    source="RAF-DB-C combined shifts (MIVIA 2022), with our members",
)
