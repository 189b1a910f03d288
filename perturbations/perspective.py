"""A turned head, in the plane: the four corners of the frame drawn inwards."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._random import Draws
from perturbations._warp import quadrilateral, warp


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """For each corner of the output, the place that it shows: along each side, an eighth to half of the level inwards.

    No corner stays, so that no draw is near the identity; either direction is drawn alike.
    """
    draws = Draws(key)
    corners = []
    for x, y in ((0, 0), (1, 0), (1, 1), (0, 1)):
        across, along = draws.uniform(1 / 8, 1 / 2) * level, draws.uniform(1 / 8, 1 / 2) * level
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
    unit="distortion scale: corners move inwards along each side by an eighth to half of it, share of the side",
    levels=(0.1, 0.2, 0.3, 0.4, 0.5),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-P tilt and kornia's RandomPerspective distortion_scale",
    draw=draw,
    apply=warp,
    whole_batch=True,
)
