"""ResNet-18 and LSTM, the classic baseline of the DFEW paper (Jiang et al., ACM MM 2020)."""

from models._blocks.checkpoint_keys import frame_encoder_key
from models._blocks.model import Model
from models._blocks.recurrent import RecurrentConfig, build_lstm

resnet18_lstm = Model(
    title="ResNet18+LSTM",
    paper=(
        "Jiang et al. DFEW: A Large-Scale Database for Recognizing Dynamic Facial Expressions in the Wild. ACM MM 2020."
    ),
    licence="none given",
    config=RecurrentConfig,
    build=build_lstm,
    verified=(
        "17,388,871 parameters with block: bottleneck, as in the DFEW authors' code, whose ResNet-18 has bottleneck "
        "blocks; the default has ResNet-18's basic blocks."
    ),
    checkpoint_key=frame_encoder_key,
    fresh=("classifier.", "recurrent."),
    small={"width": 8, "hidden": 16, "layers": 1},
)
