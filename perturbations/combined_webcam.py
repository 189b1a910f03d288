"""A cheap webcam: noise, few pixels, strong compression."""

from perturbations._combine import combination

combined_webcam = combination(
    "Combined: webcam",
    {
        "gaussian_noise": (1, 1, 2, 2, 3),
        "low_resolution": (1, 1, 2, 3, 3),
        "jpeg": (1, 2, 3, 4, 5),
    },
    source="own; the order of a webcam's stages",
)
