"""Any kornia augmentation as a perturbation, with draws of its own for each clip.

kornia draws from torch's global generator, and what it draws for a sample depends on the batch. Here its parameters are
drawn for one clip at a time inside a forked, keyed generator, on the CPU and in float32, and then given to the module.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float, UInt8
from kornia.augmentation import AugmentationBase3D, VideoSequential
from kornia.augmentation.container.params import ParamItem
from torch import Tensor
from torch.nn import Module

from perturbations._contract import ClipShape, Params
from perturbations._kornia_modules import CONTAINERS, check, named
from perturbations._pixels import scalar, to_pixels

Augmentation = Any
"""A torch module of kornia's that knows ``forward_parameters``."""
Drawn = Any
"""What kornia calls parameters: tensors by name, a list of named ones for the modules of a container, or nothing."""


class KorniaAugmentation:
    """Draws and applies a kornia augmentation: of frames, of clips (3D), or a container of them.

    Args:
        make: from the level to the module, with ``p=1``.
        same_on_frame: one draw for the clip; else each frame has its own.

    What mixes images, changes their size or is not always applied is refused by a ValueError when clips are perturbed.
    """

    def __init__(self, make: Callable[[float], Module], *, same_on_frame: bool) -> None:
        self.make = make
        self.same_on_frame = same_on_frame

    def draw(self, level: float, key: int, shape: ClipShape) -> Params:
        """What the module's draw depends on; the draw itself may be as large as the clip."""
        return {"host_key": torch.tensor(key), "host_level": scalar(level)}

    def apply(self, pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
        """Every clip through the module, which sees floats in [0, 1]."""
        clips = zip(pixels, params["host_key"].tolist(), params["host_level"].tolist(), strict=True)
        return torch.stack([self._one(clip, key, level) for clip, key, level in clips])

    def _one(self, clip: UInt8[Tensor, "t c h w"], key: int, level: float) -> UInt8[Tensor, "t c h w"]:
        module = self.make(level)
        check(module, same_on_frame=self.same_on_frame)
        with torch.random.fork_rng(devices=[]):
            # torch.manual_seed would seed every other device's generator, too
            torch.default_generator.manual_seed(key)
            spoilt = self._through(module, clip.to(torch.float32) / 255)
        if spoilt.shape != clip.shape:
            seen = f"{len(spoilt)} frames of {' x '.join(map(str, spoilt.shape[-2:]))}"
            given = f"{len(clip)} of {' x '.join(map(str, clip.shape[-2:]))}"
            raise ValueError(f"{named(module)} makes {seen} from {given}; end it with a Resize to the clip's own size")
        return to_pixels(spoilt * 255)

    def _through(self, module: Augmentation, frames: Float[Tensor, "t c h w"]) -> Float[Tensor, "n c k l"]:
        """A clip under draws of the generator as it stands."""
        if isinstance(module, AugmentationBase3D):
            clip = frames.transpose(0, 1)[None]
            return _applied(module, clip, module.forward_parameters(clip.shape))[0].transpose(0, 1)
        if isinstance(module, VideoSequential):
            return _through_video(module, frames)
        if self.same_on_frame:
            return _applied(module, frames, _over_frames(module.forward_parameters(frames[:1].shape), len(frames)))
        if isinstance(module, CONTAINERS):
            # a container chooses its modules once for all that it is given
            return torch.cat(
                [_applied(module, each, module.forward_parameters(each.shape)) for each in frames.split(1)]
            )
        return _applied(module, frames, module.forward_parameters(frames.shape))


def _through_video(module: VideoSequential, frames: Float[Tensor, "t c h w"]) -> Float[Tensor, "n c k l"]:
    """A clip through a container that takes clips in a layout of its own."""
    last_first = module.data_format == "BCTHW"
    clip = frames.transpose(0, 1)[None] if last_first else frames[None]
    if module.same_on_frame:
        first = clip[:, :, :1] if last_first else clip[:, :1]
        drawn = _over_frames(module.forward_parameters(first.shape), len(frames))
    else:
        drawn = module.forward_parameters(clip.shape)
    spoilt = _applied(module, clip, drawn)[0]
    return spoilt.transpose(0, 1) if last_first else spoilt


def _applied(module: Module, images: Tensor, drawn: Drawn) -> Tensor:
    spoilt: Tensor = module(images, params=_to_device(drawn, images.device))
    return spoilt


def _to_device(drawn: Drawn, device: torch.device) -> Drawn:
    if isinstance(drawn, dict):
        return {name: value.to(device) for name, value in drawn.items()}
    return None if drawn is None else [ParamItem(name, _to_device(inner, device)) for name, inner in drawn]


def _over_frames(drawn: Drawn, frames: int) -> Drawn:
    """The draw for one frame as that of each of them."""
    if not isinstance(drawn, dict):
        return None if drawn is None else [ParamItem(name, _over_frames(inner, frames)) for name, inner in drawn]
    per_frame = {name for name, value in drawn.items() if value.ndim and len(value) == 1 and name != "order"}
    repeated = {
        name: value.expand(frames, *value.shape[1:]) if name in per_frame else value for name, value in drawn.items()
    }
    if "batch_idx" in drawn:
        repeated["batch_idx"] = torch.arange(frames)[:, None]
    repeated["forward_input_shape"] = torch.cat([torch.tensor([frames]), drawn["forward_input_shape"][1:]])
    return repeated
