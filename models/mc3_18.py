"""MC3-18 as torchvision builds it (Tran et al., CVPR 2018)."""

from torchvision.models import video

from models._blocks.checkpoint_keys import frame_encoder_key
from models._blocks.model import Model
from models._blocks.torchvision_video import RESNET_EXAMPLES, NoOptions, video_resnet

mc3_18 = Model(
    title="MC3-18",
    paper="Tran et al. A Closer Look at Spatiotemporal Convolutions for Action Recognition. CVPR 2018.",
    licence="BSD-3-Clause",
    config=NoOptions,
    build=video_resnet(video.mc3_18),
    verified=(
        "Torchvision's own network. Any clip shape. 11,493,831 parameters and "
        "43.34 G multiply-accumulates at 16x112x112."
    ),
    examples=RESNET_EXAMPLES,
    checkpoint_key=frame_encoder_key,
)
