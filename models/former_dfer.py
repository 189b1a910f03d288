"""Former-DFER: a transformer over the patches of each frame, then one over frames (Zhao and Liu, ACM MM 2021)."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models._blocks.checkpoint_keys import frame_encoder_key
from models._blocks.model import ClipShape, Model, Output
from models._blocks.normalise import UNIT, ClipNormalise
from models._blocks.resnet2d import FrameResNet
from models._blocks.transformer import PositionedTransformer, TransformerSize

HEADS = 8
"""Heads of both transformers."""

SPATIAL_LAYERS, TEMPORAL_LAYERS = 1, 3
"""Layers of the two transformers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormerDferConfig:
    """The network's size.

    Attributes:
        width: channels of the ResNet-18 stem; the spatial transformer has four times, the temporal one eight times as
            many (256 and 512). A multiple of 2.
    """

    width: int = 64


class FormerDfer(nn.Module):
    """ResNet-18 with a transformer before its fourth stage, and a transformer with a class token over frames.

    Positions are learned for the clip length and side that the network is built for.
    """

    def __init__(self, config: FormerDferConfig, num_classes: int, shape: ClipShape) -> None:
        super().__init__()
        spatial, temporal = 4 * config.width, 8 * config.width
        side = -(-shape.size // 16)
        self.normalise = ClipNormalise(UNIT)
        self.encoder = FrameResNet(config.width)
        self.spatial = PositionedTransformer(
            side * side, spatial, TransformerSize(SPATIAL_LAYERS, HEADS, spatial // HEADS, 2 * spatial)
        )
        self.summary = nn.Parameter(torch.randn(1, 1, temporal))
        self.temporal = PositionedTransformer(
            shape.frames + 1, temporal, TransformerSize(TEMPORAL_LAYERS, HEADS, temporal // HEADS, 2 * temporal)
        )
        self.classifier = nn.Linear(temporal, num_classes)

    def forward(self, clips: Float[Tensor, "b t 3 h w"]) -> Output:
        """Logits and the class token."""
        frames = self.normalise(clips).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        maps = self.encoder.lower(frames)
        patches = self.spatial(maps.flatten(2).transpose(1, 2))
        vectors = self.encoder.upper(patches.transpose(1, 2).unflatten(2, maps.shape[2:]))
        sequence = vectors.unflatten(0, clips.shape[:2])
        features = self.temporal(torch.cat([self.summary.expand(len(clips), -1, -1), sequence], dim=1))[:, 0]
        return Output(self.classifier(features), features)


former_dfer = Model(
    title="Former-DFER",
    paper="Zhao and Liu. Former-DFER: Dynamic Facial Expression Recognition Transformer. ACM MM 2021.",
    licence="MIT",
    config=FormerDferConfig,
    build=FormerDfer,
    verified="18,031,943 parameters and 8.30 G multiply-accumulates at 16x112x112, as the released code has.",
    checkpoint_key=frame_encoder_key,
    fresh=("classifier.", "spatial.", "temporal.", "summary"),
    small={"width": 8},
)
