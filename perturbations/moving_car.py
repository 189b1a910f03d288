"""A face in a moving car: flickering light, motion blur, an unsteady crop."""

from perturbations._combine import combination

moving_car = combination(
    "Combined: moving car",
    {
        "flicker": (1, 2, 3, 4, 5),
        "motion_blur": (1, 1, 2, 3, 4),
        "face_jitter": (1, 2, 3, 4, 5),
    },
    source="own",
)
