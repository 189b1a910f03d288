"""Any kornia augmentation as a perturbation, with draws of its own for each clip.

kornia draws from torch's global generator, and what it draws for a sample depends on the batch. Here its parameters are
drawn for one clip at a time inside a forked, keyed generator, on the CPU and in float32, and then given to the module.
"""

from collections.abc import Callable

import torch
from jaxtyping import UInt8
from kornia.augmentation import AugmentationBase2D
from torch import Tensor

from perturbations._contract import ClipShape, Params
from perturbations._pixels import scalar, to_pixels


class KorniaAugmentation:
    """Draws and applies a kornia 2D augmentation.

    Args:
        make: from the level to the module, with ``p=1``.
        same_on_frame: one draw for the clip; else each frame has its own.
    """

    def __init__(self, make: Callable[[float], AugmentationBase2D], *, same_on_frame: bool) -> None:
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
        drawn = self._parameters(module, key, clip.shape)
        spoilt: Tensor = module(
            clip.to(torch.float32) / 255, params={name: value.to(clip.device) for name, value in drawn.items()}
        )
        return to_pixels(spoilt * 255)

    def _parameters(self, module: AugmentationBase2D, key: int, shape: torch.Size) -> dict[str, Tensor]:
        """The module's draw: global generators are as before when it is done."""
        frames = 1 if self.same_on_frame else shape[0]
        with torch.random.fork_rng(devices=[]):
            # torch.manual_seed would seed every other device's generator, too
            torch.default_generator.manual_seed(key)
            drawn: dict[str, Tensor] = module.forward_parameters(torch.Size((frames, *shape[1:])))
        if self.same_on_frame:
            per_frame = {name for name, value in drawn.items() if value.ndim and len(value) == 1 and name != "order"}
            drawn = {
                name: value.expand(shape[0], *value.shape[1:]) if name in per_frame else value
                for name, value in drawn.items()
            }
            if "batch_idx" in drawn:
                drawn["batch_idx"] = torch.arange(shape[0])[:, None]
            drawn["forward_input_shape"] = torch.tensor(shape)
        return drawn
