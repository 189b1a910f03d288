"""MViTv2, small, as torchvision builds it, for clips of any accepted shape (Li et al., CVPR 2022)."""

from dataclasses import dataclass

from torch import nn
from torchvision.models.video.mvit import MSBlockConfig, MViT

from models._blocks.checkpoint_keys import headless_encoder_key
from models._blocks.model import ClipShape, Model
from models._blocks.normalise import KINETICS_X3D
from models._blocks.pooling import with_own_pools
from models._blocks.torchvision_video import TorchvisionVideo

KERNEL = [3, 3, 3]
"""Of the convolutions that pool queries, keys and values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MvitConfig:
    """The network's size; the defaults are MViTv2-S (table 1 of the paper).

    Attributes:
        width: channels of the first stage, and of every attention head.
        depths: layers of the four stages.
        stochastic_depth: largest probability of leaving a layer out in training.
        dropout: probability before the classifier.
    """

    width: int = 96
    depths: tuple[int, int, int, int] = (1, 2, 11, 2)
    stochastic_depth: float = 0.2
    dropout: float = 0.5


def _build(config: MvitConfig, num_classes: int, shape: ClipShape) -> TorchvisionVideo:
    """Torchvision's builder fixes 16 frames of 224 pixels; its class takes any even clip length and multiples of 32."""
    if shape.frames % 2 or shape.size % 32:
        raise ValueError(
            f"MViTv2 takes an even number of frames and a side that is a multiple of 32, not {shape.frames} frames of "
            f"{shape.size} pixels; use for example 96, 128 or 224 pixels."
        )
    encoder = MViT(
        spatial_size=(shape.size, shape.size),
        temporal_size=shape.frames,
        block_setting=_blocks(config),
        residual_pool=True,
        residual_with_cls_embed=False,
        rel_pos_embed=True,
        proj_after_attn=True,
        stochastic_depth_prob=config.stochastic_depth,
    )
    encoder.head = nn.Dropout(config.dropout)
    return TorchvisionVideo(with_own_pools(encoder), 8 * config.width, num_classes, KINETICS_X3D)


def _blocks(config: MvitConfig) -> list[MSBlockConfig]:
    """Layers of all stages: each stage doubles channels and heads; all but the first halve the sides on entry."""
    blocks: list[MSBlockConfig] = []
    channels = config.width
    for stage, depth in enumerate(config.depths):
        for position in range(depth):
            outputs = config.width * 2**stage
            side = 2 if stage and not position else 1
            blocks.append(
                MSBlockConfig(
                    num_heads=2**stage,
                    input_channels=channels,
                    output_channels=outputs,
                    kernel_q=KERNEL,
                    kernel_kv=KERNEL,
                    stride_q=[1, side, side],
                    stride_kv=[1, 8 // 2**stage, 8 // 2**stage],
                )
            )
            channels = outputs
    return blocks


mvit_v2_s = Model(
    title="MViTv2-S",
    paper="Li et al. MViTv2: Improved Multiscale Vision Transformers for Classification and Detection. CVPR 2022.",
    licence="BSD-3-Clause",
    config=MvitConfig,
    build=_build,
    verified=(
        "Torchvision's own network, equal to its mvit_v2_s in every tensor at 16x224x224. Even clip lengths, sides "
        "that are multiples of 32. 34,235,527 parameters and 64.22 G multiply-accumulates at 16x224x224."
    ),
    checkpoint_key=headless_encoder_key,
    input=ClipShape(16, 224),
    small={"width": 16, "depths": (1, 1, 1, 1)},
    examples=(ClipShape(4, 32), ClipShape(6, 64)),
)
