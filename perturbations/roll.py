"""The head or the camera tilted: the clip turned about its centre."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._random import Draws
from perturbations._warp import similarity, warp


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The turn, either way."""
    return {"matrix": similarity(shape, 1.0, Draws(key).sign() * level, 0.0, 0.0)[None]}


roll = Perturbation(
    title="Roll",
    family="geometry",
    unit="degrees, either way",
    levels=(5.0, 10.0, 15.0, 22.0, 30.0),
    granularity="clip",
    label_preserving="yes",
    source="static rotation of Schiappa et al. (2023), within the range of head tilts",
    draw=draw,
    apply=warp,
    whole_batch=True,
)
