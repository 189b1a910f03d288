"""The half of the face on the viewer's right covered from its centre outwards."""

from perturbations._face import covered

occlude_right = covered("right", "Occluded right half")
