"""An unsteady face crop with an object before the face."""

from perturbations._combine import combination

combined_crop_occlusion = combination(
    "Combined: unsteady crop, occlusion",
    {
        "face_jitter": (1, 2, 3, 4, 5),
        "random_erasing": (1, 1, 2, 3, 4),
    },
    source="own",
)
