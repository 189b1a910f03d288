"""What a network costs: parameters, and multiply-accumulates per clip."""

from typing import Any, NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from models._blocks.model import ClipShape, Model


class Cost(NamedTuple):
    """Parameters, and multiply-accumulates of one clip's forward pass in convolutions and matrix products."""

    parameters: int
    multiply_accumulates: int


def cost_of(plugin: Model, config: Any, num_classes: int, shape: ClipShape) -> Cost:
    """Count without computing: the network and the clip have shapes but no values, so that nothing is drawn either.

    Normalisation, activation and pooling are not counted, as the field has it when it says "FLOPs" and means
    multiply-accumulates.
    """
    counter = FlopCounterMode(display=False)
    with torch.device("meta"):
        network = plugin.build(config, num_classes, shape).eval()
        clips = torch.empty(1, shape.frames, 3, shape.size, shape.size)
    with counter, torch.no_grad():
        network(clips)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return Cost(parameters, counter.get_total_flops() // 2)
