"""The head moves as the expression peaks: motion blur around the apex."""

from perturbations._profile import profiled

motion_blur_apex = profiled("motion_blur", "apex")
