"""A turned head, in the plane: the four corners of the frame drawn inwards."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._random import Draws
from perturbations._warp import quadrilateral, warp


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """For each corner of the output, the place that it shows: up to half the level of the frame inwards."""
    draws = Draws(key)
    corners = []
    for x, y in ((0, 0), (1, 0), (1, 1), (0, 1)):
        across, along = draws.uniform(0.25, 0.5) * level, draws.uniform(0, 0.5) * level
        corners.append(
            (
                (across if x == 0 else 1 - across) * (shape.width - 1),
                (along if y == 0 else 1 - along) * (shape.height - 1),
            )
        )
    return {"matrix": quadrilateral(shape, corners)[None]}


perspective = Perturbation(
    title="Perspective",
    family="geometry",
    unit="distortion scale: corners move inwards by up to half of it",
    levels=(0.1, 0.2, 0.3, 0.4, 0.5),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-P tilt and kornia's RandomPerspective distortion_scale",
    draw=draw,
    apply=warp,
    whole_batch=True,
)
