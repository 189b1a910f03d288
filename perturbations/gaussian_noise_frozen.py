"""Fixed-pattern noise: one draw of Gaussian noise that stays on every frame."""

from functools import partial

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._noise import add, noise


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The noise's key and standard deviation."""
    return noise(level, key)


gaussian_noise_frozen = Perturbation(
    title="Gaussian noise, frozen",
    family="noise",
    unit="standard deviation, fraction of full scale",
    levels=(0.04, 0.08, 0.12, 0.15, 0.18),
    granularity="clip",
    label_preserving="yes",
    source="levels of gaussian_noise; frozen over the clip as a sensor's fixed pattern is",
    draw=draw,
    apply=partial(add, frozen=True),
)
