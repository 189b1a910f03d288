"""Strong JPEG compression of every frame, by a real codec."""

import torch

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._jpeg import jpeg_frames
from perturbations._levels import within


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The quality; nothing is random."""
    return {"host_quality": torch.tensor(round(within(level, 1, 100)))}


jpeg = Perturbation(
    title="JPEG",
    family="compression",
    unit="quality",
    levels=(25.0, 18.0, 15.0, 10.0, 7.0),
    granularity="clip",
    label_preserving="yes",
    source="ImageNet-C jpeg_compression (Hendrycks and Dietterich 2019)",
    draw=draw,
    apply=jpeg_frames,
    keyed=False,
    on_host=True,
)
