"""Which kornia augmentations can be a perturbation: what cannot is refused in a sentence that says what to do."""

from kornia.augmentation import (
    AugmentationBase3D,
    AugmentationSequential,
    ImageSequential,
    MixAugmentationBaseV2,
    PatchSequential,
    RandomJigsaw,
    VideoSequential,
)
from kornia.augmentation.auto import PolicyAugmentBase
from kornia.augmentation.base import _BasicAugmentationBase
from torch.nn import Module

CONTAINERS = (ImageSequential, PolicyAugmentBase)
"""Several modules as one: ``VideoSequential`` and ``AugmentationSequential`` are image sequentials, too, and
``RandAugment`` and ``TrivialAugment`` policies."""


def check(module: Module, *, same_on_frame: bool) -> None:
    """Sees that a module can be applied to one clip at a time, always, and in the way that the adapter is asked for.

    Raises:
        ValueError: if it cannot.
    """
    if not isinstance(module, (_BasicAugmentationBase, *CONTAINERS)):
        raise ValueError(f"{named(module)} is no augmentation of kornia's; put it into an ImageSequential")
    _check_frames(module, same_on_frame)
    for part in module.modules():
        _check_part(part)
        if part is not module and isinstance(part, (AugmentationBase3D, VideoSequential)):
            raise ValueError(f"{named(part)} takes whole clips; do not put it into another module, but give it alone")


def _check_frames(module: Module, same_on_frame: bool) -> None:
    if isinstance(module, AugmentationBase3D) and not same_on_frame:
        raise ValueError(f"{named(module)} takes a clip as a whole; give same_on_frame=True, one draw for the clip")
    if isinstance(module, VideoSequential) and module.same_on_frame != same_on_frame:
        raise ValueError(
            f"{named(module)} has same_on_frame={module.same_on_frame}; give the adapter the same, not {same_on_frame}"
        )
    held = next((part for part in module.children() if isinstance(part, CONTAINERS)), None)
    if isinstance(module, VideoSequential) and same_on_frame and held is not None:
        raise ValueError(f"{named(module)} draws anew for each frame in {named(held)}; give an ImageSequential of both")
    if isinstance(module, AugmentationSequential) and len(module.data_keys or ()) > 1:
        raise ValueError(f"{named(module)} wants more than clips; give data_keys=['input'] alone")


def _check_part(part: Module) -> None:
    if isinstance(part, MixAugmentationBaseV2) and not isinstance(part, RandomJigsaw):
        raise ValueError(
            f"{named(part)} mixes the images of a batch, which would be a clip's own frames; leave it to training"
        )
    if isinstance(part, PatchSequential):
        raise ValueError(f"{named(part)} draws for patches and not for frames; give its modules in an ImageSequential")
    if isinstance(part, ImageSequential) and part.random_apply and part.random_apply[0] < 1:
        raise ValueError(f"{named(part)} may choose none of its modules; give a random_apply of at least 1")
    if isinstance(part, _BasicAugmentationBase) and min(part.p, part.p_batch) < 1:
        chance = min(part.p, part.p_batch)
        raise ValueError(
            f"{named(part)} is applied with chance {chance:g}, and other clips would count as perturbed while they are "
            "clean; give p=1"
        )


def named(module: Module) -> str:
    """What kornia calls it."""
    return type(module).__name__
