"""The first layer of every network: pixels in [0, 1] to the range that its weights were trained on."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

KINETICS_X3D = ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225))
"""Mean and deviation per channel of the SlowFast and X3D recipes (facebookresearch/SlowFast, X3D_M.yaml)."""

KINETICS_RESNET = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
"""Mean and deviation of torchvision's Kinetics-400 video ResNets (``R3D_18_Weights.KINETICS400_V1``)."""

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of ImageNet, used by torchvision's image ResNets and Video Swin weights."""

UNIT = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
"""Leaves pixels in [0, 1], as M3DFEL, Former-DFER and IAL take them."""

SYMMETRIC = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
"""Maps pixels to [-1, 1], as I3D takes them."""

Statistics = tuple[tuple[float, float, float], tuple[float, float, float]]


class ClipNormalise(nn.Module):
    """Subtracts a mean and divides by a deviation per RGB channel.

    Attributes:
        mean: of each channel, in units of the pixel range [0, 1].
        deviation: of each channel, in the same units.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, statistics: Statistics) -> None:
        super().__init__()
        mean, deviation = statistics
        self.register_buffer("mean", torch.tensor(mean).view(1, 1, 3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(1, 1, 3, 1, 1), persistent=False)

    def forward(self, clips: Float[Tensor, "b t 3 h w"]) -> Float[Tensor, "b t 3 h w"]:
        """Normalised clips of the same shape; the input is left as it was."""
        return (clips - self.mean) / self.deviation


def as_volume(clips: Float[Tensor, "b t c h w"]) -> Float[Tensor, "b c t h w"]:
    """Channels before frames, as 3-D convolutions take them, laid out with channels last in memory.

    The layout is the fastest one for depthwise convolutions on a CPU (see ``benchmarks/x3d_convolutions.py``) and the
    one that tensor cores read.
    """
    return clips.transpose(1, 2).contiguous(memory_format=torch.channels_last_3d)
