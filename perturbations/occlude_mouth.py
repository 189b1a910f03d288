"""A hand or microphone: the mouth covered from its centre outwards."""

from perturbations._face import covered

occlude_mouth = covered("mouth", "Occluded mouth")
