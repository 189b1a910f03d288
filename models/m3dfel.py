"""M3DFEL: a clip as a bag of short instances, with attention over them (Wang et al., CVPR 2023)."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torchvision.models.video import r3d_18

from models._blocks.checkpoint_keys import frame_encoder_key
from models._blocks.model import ClipShape, Model, Output
from models._blocks.normalise import KINETICS_RESNET, UNIT, ClipNormalise, as_volume
from models._blocks.transformer import SelfAttention

HEADS = 8
"""Heads of the attention over instances."""


@dataclass(frozen=True, slots=True, kw_only=True)
class M3dfelConfig:
    """How clips are cut, and the sizes above the backbone.

    Attributes:
        instance_length: frames per instance; the clip must be at least two instances long, and a whole number of them.
        hidden: units per direction of the recurrent layers; a multiple of 4.
        normalise: ``none`` leaves pixels in [0, 1], as released; ``kinetics`` is what the backbone's weights expect.
    """

    instance_length: int = 4
    hidden: int = 512
    normalise: Literal["none", "kinetics"] = "none"


class DynamicMultiInstanceNorm(nn.Module):
    """Normalisation by a learned blend of each channel's statistics over instances and of the whole bag's (DMIN).

    Each channel's mean and unbiased variance over instances are blended with the bag's by softmax weights that start
    equal. There are no running statistics: evaluation is training.
    """

    def __init__(self, channels: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.mean_blend = nn.Parameter(torch.ones(2))
        self.variance_blend = nn.Parameter(torch.ones(2))
        self.scale = nn.Parameter(torch.ones(channels))
        self.shift = nn.Parameter(torch.zeros(channels))

    def forward(self, instances: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """Normalised instances."""
        variance, mean = torch.var_mean(instances, dim=1, keepdim=True)
        bag_mean = mean.mean(dim=2, keepdim=True)
        bag_variance = (variance + mean.square()).mean(dim=2, keepdim=True) - bag_mean.square()
        of_mean, of_variance = self.mean_blend.softmax(0), self.variance_blend.softmax(0)
        blended_mean = of_mean[0] * mean + of_mean[1] * bag_mean
        blended_variance = of_variance[0] * variance + of_variance[1] * bag_variance
        return (instances - blended_mean) / torch.sqrt(blended_variance + self.epsilon) * self.scale + self.shift


class M3dfel(nn.Module):
    """r3d_18 on instances, a bidirectional LSTM over them, gates from attention, a convolution that joins the bag."""

    def __init__(self, config: M3dfelConfig, num_classes: int, shape: ClipShape) -> None:
        super().__init__()
        instances, rest = divmod(shape.frames, config.instance_length)
        if rest or instances < 2:
            raise ValueError(
                f"M3DFEL cuts a clip into two or more instances of {config.instance_length} frames, which "
                f"{shape.frames} frames are not; change clip.frames or instance_length."
            )
        channels = 2 * config.hidden
        self.instance_length = config.instance_length
        self.normalise = ClipNormalise(UNIT if config.normalise == "none" else KINETICS_RESNET)
        self.encoder = r3d_18(weights=None)
        num_features = self.encoder.fc.in_features
        self.encoder.fc = nn.Identity()
        self.recurrent = nn.LSTM(num_features, config.hidden, num_layers=2, batch_first=True, bidirectional=True)
        self.attention = SelfAttention(channels, HEADS, channels // HEADS, project=False)
        self.norm = DynamicMultiInstanceNorm(channels)
        self.join = nn.Conv1d(instances, 1, 3, padding=1)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, clips: Float[Tensor, "b t 3 h w"]) -> Output:
        """Logits and the joined bag."""
        instances = self.normalise(clips).unflatten(1, (-1, self.instance_length)).flatten(0, 1)
        bag = self.encoder(as_volume(instances)).unflatten(0, (len(clips), -1))
        sequence = self.recurrent(bag)[0]
        gated = sequence * torch.sigmoid(self.norm(self.attention(sequence)))
        features = self.join(gated)[:, 0]
        return Output(self.classifier(features), features)


m3dfel = Model(
    title="M3DFEL",
    paper="Wang et al. Rethinking the Learning Paradigm for Dynamic Facial Expression Recognition. CVPR 2023.",
    licence="Apache-2.0",
    config=M3dfelConfig,
    build=M3dfel,
    verified=(
        "46,823,384 parameters and 43.15 G multiply-accumulates, as the released code has (the paper's 1.65 G is not "
        "its cost); the normalisation against its formula; a batch of one works, which the released code squeezes away."
    ),
    checkpoint_key=frame_encoder_key,
    fresh=("classifier.", "recurrent.", "attention.", "norm.", "join."),
    small={"instance_length": 2, "hidden": 32},
    examples=(ClipShape(4, 32), ClipShape(6, 32)),
)
