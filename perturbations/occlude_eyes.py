"""Sunglasses: the eye region covered from its centre outwards."""

from perturbations._face import covered

occlude_eyes = covered("eyes", "Occluded eyes")
