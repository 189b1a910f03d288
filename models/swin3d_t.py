"""Video Swin, tiny, as torchvision builds it (Liu et al., CVPR 2022)."""

from dataclasses import dataclass

from torch import nn
from torchvision.models.video.swin_transformer import PatchEmbed3d, SwinTransformer3d

from models._blocks.checkpoint_keys import headless_encoder_key
from models._blocks.model import ClipShape, Model
from models._blocks.normalise import IMAGENET
from models._blocks.torchvision_video import TorchvisionVideo

HEAD_CHANNELS = 32
"""Channels per attention head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swin3dConfig:
    """The network's size; the defaults are Swin-T (table 1 of the paper).

    Attributes:
        width: channels of the first stage, a multiple of 32.
        depths: layers of the four stages.
        stochastic_depth: largest probability of leaving a layer out in training.
    """

    width: int = 96
    depths: tuple[int, int, int, int] = (2, 2, 6, 2)
    stochastic_depth: float = 0.1


def _build(config: Swin3dConfig, num_classes: int, shape: ClipShape) -> TorchvisionVideo:
    """Clips of any shape; sides are padded to multiples of the 2x4x4 patches and of the 8x7x7 windows."""
    encoder = SwinTransformer3d(
        patch_size=[2, 4, 4],
        embed_dim=config.width,
        depths=list(config.depths),
        num_heads=[config.width // HEAD_CHANNELS * 2**stage for stage in range(4)],
        window_size=[8, 7, 7],
        stochastic_depth_prob=config.stochastic_depth,
        patch_embed=PatchEmbed3d,
    )
    encoder.head = nn.Identity()
    return TorchvisionVideo(encoder, 8 * config.width, num_classes, IMAGENET)


swin3d_t = Model(
    title="Video Swin-T",
    paper="Liu et al. Video Swin Transformer. CVPR 2022.",
    licence="BSD-3-Clause",
    config=Swin3dConfig,
    build=_build,
    verified=(
        "Torchvision's own network, equal to its swin3d_t in every tensor. Any clip shape. 27,855,853 parameters; "
        "43.88 G multiply-accumulates at 16x224x224, 11.36 G at 16x112x112."
    ),
    checkpoint_key=headless_encoder_key,
    input=ClipShape(16, 224),
    small={"width": 32, "depths": (1, 1, 1, 1)},
)
