"""The half of the face on the viewer's left covered from its centre outwards."""

from perturbations._face import covered

occlude_left = covered("left", "Occluded left half")
