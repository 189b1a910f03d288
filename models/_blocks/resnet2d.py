"""Residual networks over single frames (He et al., Deep Residual Learning, CVPR 2016), at any width."""

from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck

STAGE_BLOCKS = (2, 2, 2, 2)
"""Blocks per stage of ResNet-18 (table 1 of the paper)."""


class FrameResNet(nn.Module):
    """ResNet-18's stem and stages, pooled to one vector per frame; tensors are named as in torchvision.

    Attributes:
        num_features: length of a frame's vector: 512 for basic blocks of width 64, 2048 for bottlenecks.
    """

    def __init__(self, width: int = 64, block: Literal["basic", "bottleneck"] = "basic") -> None:
        super().__init__()
        kind = {"basic": BasicBlock, "bottleneck": Bottleneck}[block]
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        planes = [width * 2**index for index in range(4)]
        inputs = [width, *(kind.expansion * channels for channels in planes)]
        self.layer1 = residual_stage(kind, inputs[0], planes[0], blocks=STAGE_BLOCKS[0], stride=1)
        self.layer2 = residual_stage(kind, inputs[1], planes[1], blocks=STAGE_BLOCKS[1], stride=2)
        self.layer3 = residual_stage(kind, inputs[2], planes[2], blocks=STAGE_BLOCKS[2], stride=2)
        self.layer4 = residual_stage(kind, inputs[3], planes[3], blocks=STAGE_BLOCKS[3], stride=2)
        self.num_features = inputs[4]
        initialise_convolutions(self)

    def forward(self, frames: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        """One vector per frame."""
        return self.upper(self.lower(frames))

    def lower(self, frames: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n c i j"]:
        """Feature maps after the third stage: a sixteenth of the side length, rounded up."""
        maps: Tensor = self.maxpool(self.relu(self.bn1(self.conv1(frames))))
        for stage in (self.layer1, self.layer2, self.layer3):
            maps = stage(maps)
        return maps

    def upper(self, maps: Float[Tensor, "n c i j"]) -> Float[Tensor, "n d"]:
        """From the third stage's maps to one vector per frame."""
        vectors: Tensor = self.layer4(maps).mean(dim=(2, 3))
        return vectors


def residual_stage(
    kind: type[BasicBlock] | type[Bottleneck], channels: int, planes: int, *, blocks: int, stride: int
) -> nn.Sequential:
    """Residual blocks; the first one changes channels and resolution, by a projection where it must."""
    outputs = planes * kind.expansion
    shortcut = None
    if stride != 1 or channels != outputs:
        shortcut = nn.Sequential(nn.Conv2d(channels, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
    first = kind(channels, planes, stride, shortcut)
    return nn.Sequential(first, *(kind(outputs, planes) for _ in range(blocks - 1)))


def initialise_convolutions(network: nn.Module) -> None:
    """He initialisation over the outgoing fan, as in torchvision's image ResNets."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
