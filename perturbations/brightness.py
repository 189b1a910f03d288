"""Wrong exposure in either direction: every value raised or lowered by a fraction of full scale."""

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._random import Draws
from perturbations._tone import offset, shift


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The rise or, as likely, the fall."""
    return offset(Draws(key).sign() * level)


brightness = Perturbation(
    title="Brightness",
    family="illumination",
    unit="fraction of full scale added to or subtracted from every channel, evenly over clips",
    levels=(0.1, 0.2, 0.3, 0.4, 0.5),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C and RAF-DB-C brightness amounts, in RGB, with a random sign for each clip",
    draw=draw,
    apply=shift,
    whole_batch=True,
)
