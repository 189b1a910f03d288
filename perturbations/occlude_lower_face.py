"""A face mask: the lower face covered from its centre outwards."""

from perturbations._face import covered

occlude_lower_face = covered("lower_face", "Occluded lower face")
