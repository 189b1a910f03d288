"""Hard light in a dark recording."""

from perturbations._combine import combination

combined_contrast_dark = combination(
    "Combined: contrast, dark",
    {
        "contrast_up": (1, 1, 2, 3, 4),
        "brightness_down": (1, 2, 2, 2, 3),
    },
    source="RAF-DB-C combined shifts (MIVIA 2022), with our members",
)
