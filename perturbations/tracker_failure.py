"""A failing face tracker: an unsteady crop, missed frames, someone else's face."""

from perturbations._combine import combination

tracker_failure = combination(
    "Combined: tracker failure",
    {
        "face_jitter": (1, 2, 3, 4, 5),
        "frame_drop_blank": (1, 1, 2, 3, 4),
        "identity_intrusion": (1, 2, 3, 4, 5),
    },
    source="own",
)
