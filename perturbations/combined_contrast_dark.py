"""Hard light in a dark recording."""

from perturbations._combine import combination

combined_contrast_dark = combination(
    "Combined: contrast, dark",
    {
        "contrast_up": (1, 1, 2, 3, 4),
        "brightness_down": (1, 1.5, 2, 2.5, 3),
    },
    source="RAF-DB-C combined shifts (MIVIA 2022), with our members, darkening made monotone",
)
