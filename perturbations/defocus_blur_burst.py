"""Focus lost for a moment: defocus in a run of frames."""

from perturbations._profile import profiled

defocus_blur_burst = profiled("defocus_blur", "burst")
