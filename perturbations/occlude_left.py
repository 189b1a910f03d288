"""The half of the face on the viewer's left covered from its centre outwards."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._mask import REGIONS, cover, occluder, part_of


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The covered part; nothing is random."""
    return occluder([part_of(REGIONS["left"], level, shape)], (0, 0, 0))


occlude_left = Perturbation(
    title="Occluded left half",
    family="occlusion",
    unit="share of the region's area that is covered",
    levels=(0.25, 0.4, 0.6, 0.8, 1.0),
    granularity="clip",
    label_preserving="yes",
    source="sunglasses and mask occlusions of face benchmarks, on the canonical places of aligned faces",
    draw=draw,
    apply=cover,
)
