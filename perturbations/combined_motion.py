"""A dim recording from a moving camera."""

from perturbations._combine import combination

combined_motion = combination(
    "Combined: motion, dark, flat",
    {
        "motion_blur": (1, 2, 2, 3, 3),
        "brightness_down": (1, 2, 2, 2, 3),
        "contrast_down": (1, 1, 2, 3, 4),
    },
    source="RAF-DB-C combined shifts (MIVIA 2022), with our members",
)
