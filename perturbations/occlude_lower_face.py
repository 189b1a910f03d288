"""A face mask: the lower face covered from its centre outwards."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._mask import REGIONS, cover, occluder, part_of


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The covered part; nothing is random."""
    return occluder([part_of(REGIONS["lower_face"], level, shape)], (0, 0, 0))


occlude_lower_face = Perturbation(
    title="Occluded lower face",
    family="occlusion",
    unit="share of the region's area that is covered",
    levels=(0.25, 0.4, 0.6, 0.8, 1.0),
    granularity="clip",
    label_preserving="yes",
    source="sunglasses and mask occlusions of face benchmarks, on the canonical places of aligned faces",
    draw=draw,
    apply=cover,
)
