"""A hand at the wrong moment: a facial region covered around the apex."""

from perturbations._profile import profiled

occlude_region_apex = profiled("occlude_region", "apex")
