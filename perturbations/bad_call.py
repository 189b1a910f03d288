"""A video call over a bad line: low frame rate, few pixels, strong compression, a gap."""

from perturbations._combine import combination

bad_call = combination(
    "Combined: bad video call",
    {
        "frame_rate_reduction": (1, 1, 2, 3, 4),
        "low_resolution": (1, 1, 2, 3, 4),
        "jpeg": (1, 2, 3, 4, 5),
        "burst_loss": (1, 2, 3, 4, 5),
    },
    source="own",
)
