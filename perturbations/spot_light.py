"""A spot of light: a Gaussian patch of the picture brightened for the whole clip, by kornia's own class."""

from kornia.augmentation import RandomGaussianIllumination

from perturbations._contract import Perturbation
from perturbations._kornia import KorniaAugmentation


def make(level: float) -> RandomGaussianIllumination:
    """Kornia's augmentation at one gain, always applied and always brightening."""
    return RandomGaussianIllumination(gain=(level, level), sign=(1.0, 1.0), p=1.0)


_augmentation = KorniaAugmentation(make, same_on_frame=True)

spot_light = Perturbation(
    title="Spot light",
    family="illumination",
    unit="gain at the centre of the spot",
    levels=(0.1, 0.2, 0.3, 0.4, 0.5),
    granularity="clip",
    label_preserving="yes",
    source="kornia RandomGaussianIllumination, run by the adapter; levels own",
    draw=_augmentation.draw,
    apply=_augmentation.apply,
)
