"""Hard light in a bright recording."""

from perturbations._combine import combination

combined_contrast_bright = combination(
    "Combined: contrast, bright",
    {
        "contrast_up": (1, 1, 2, 3, 4),
        "brightness_up": (1, 2, 2, 2, 3),
    },
    source="RAF-DB-C combined shifts (MIVIA 2022), with our members",
)
