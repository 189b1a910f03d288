"""ResNet-18 and GRU, a classic baseline (re-run by Zhao and Liu, Former-DFER, ACM MM 2021)."""

from models._blocks.checkpoint_keys import frame_encoder_key
from models._blocks.model import Model
from models._blocks.recurrent import RecurrentConfig, build_gru

resnet18_gru = Model(
    title="ResNet18+GRU",
    paper="Zhao and Liu. Former-DFER: Dynamic Facial Expression Recognition Transformer. ACM MM 2021.",
    licence="MIT",
    config=RecurrentConfig,
    build=build_gru,
    verified="Parameter count against the sum of torchvision's ResNet-18 and PyTorch's GRU.",
    checkpoint_key=frame_encoder_key,
    fresh=("classifier.", "recurrent."),
    small={"width": 8, "hidden": 16, "layers": 1},
)
