"""The lights go down: low light that grows over the clip."""

from perturbations._profile import profiled

low_light_ramp = profiled("low_light", "ramp")
