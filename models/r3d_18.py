"""R3D-18 as torchvision builds it (Tran et al., CVPR 2018)."""

from torchvision.models import video

from models._blocks.checkpoint_keys import frame_encoder_key
from models._blocks.model import Model
from models._blocks.torchvision_video import RESNET_EXAMPLES, NoOptions, video_resnet

r3d_18 = Model(
    title="R3D-18",
    paper="Tran et al. A Closer Look at Spatiotemporal Convolutions for Action Recognition. CVPR 2018.",
    licence="BSD-3-Clause",
    config=NoOptions,
    build=video_resnet(video.r3d_18),
    verified=(
        "Torchvision's own network. Any clip shape. 33,169,863 parameters and "
        "40.70 G multiply-accumulates at 16x112x112."
    ),
    examples=RESNET_EXAMPLES,
    checkpoint_key=frame_encoder_key,
)
