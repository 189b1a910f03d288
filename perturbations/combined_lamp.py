"""Warm light from one side, with a shadow."""

from perturbations._combine import combination

combined_lamp = combination(
    "Combined: desk lamp",
    {
        "color_temperature_warm": (1, 2, 3, 4, 5),
        "side_light": (1, 2, 3, 4, 5),
        "cast_shadow": (1, 1, 2, 3, 4),
    },
    source="own",
)
