"""A recurrent classifier over frames: the classic pairing of an image network with an LSTM or a GRU."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models._blocks.model import ClipShape, Output
from models._blocks.normalise import IMAGENET, ClipNormalise
from models._blocks.resnet2d import FrameResNet


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurrentConfig:
    """Sizes of the frame network and of the recurrent one.

    Attributes:
        width: channels of the frame network's stem (64 in ResNet-18).
        block: ``basic`` is ResNet-18; ``bottleneck`` is what the DFEW authors' code builds under that name.
        hidden: units per recurrent layer.
        layers: recurrent layers.
    """

    width: int = 64
    block: Literal["basic", "bottleneck"] = "basic"
    hidden: int = 256
    layers: int = 3


class FrameRecurrent(nn.Module):
    """One vector per frame, recurrent layers over frames, all their outputs side by side into a linear classifier."""

    def __init__(self, config: RecurrentConfig, cell: type[nn.LSTM] | type[nn.GRU], sizes: tuple[int, int]) -> None:
        super().__init__()
        num_classes, frames = sizes
        self.normalise = ClipNormalise(IMAGENET)
        self.encoder = FrameResNet(config.width, config.block)
        self.recurrent = cell(self.encoder.num_features, config.hidden, num_layers=config.layers, batch_first=True)
        self.classifier = nn.Linear(frames * config.hidden, num_classes)

    def forward(self, clips: Float[Tensor, "b t 3 h w"]) -> Output:
        """Logits and the recurrent outputs of all frames, one after the other."""
        frames = self.normalise(clips).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        sequence = self.encoder(frames).unflatten(0, clips.shape[:2])
        features = self.recurrent(sequence)[0].flatten(1)
        return Output(self.classifier(features), features)


def build_lstm(config: RecurrentConfig, num_classes: int, shape: ClipShape) -> FrameRecurrent:
    """ResNet and LSTM for clips of a given length."""
    return FrameRecurrent(config, nn.LSTM, (num_classes, shape.frames))


def build_gru(config: RecurrentConfig, num_classes: int, shape: ClipShape) -> FrameRecurrent:
    """ResNet and GRU for clips of a given length."""
    return FrameRecurrent(config, nn.GRU, (num_classes, shape.frames))
