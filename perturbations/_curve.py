"""Tone curves: a table of 256 outputs for each clip and channel, worked out once in double precision."""

from collections.abc import Callable
from functools import lru_cache

import torch
from jaxtyping import Int16, UInt8
from torch import Tensor

from perturbations._contract import Params


def curve(function: Callable[[float], float]) -> Params:
    """Parameters of ``look_up``: one curve for all channels, from and to values in 0..1."""
    return curves(function)


def curves(*functions: Callable[[float], float]) -> Params:
    """Parameters of ``look_up``: a curve for each channel."""
    rows = [[round(255 * min(max(function(value / 255), 0.0), 1.0)) for value in range(256)] for function in functions]
    return {"table": torch.tensor(rows, dtype=torch.int16)}


@lru_cache(maxsize=64)
def gamma(exponent: float) -> Params:
    """Parameters of ``look_up``: values in 0..1 to a power."""
    return curve(lambda value: value**exponent)


def look_up(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Every value replaced by its channel's entry in the clip's ``table``."""
    table: Int16[Tensor, "b c v"] = params["table"]
    # two bytes are seen as one word only where the plane and the place in memory that it begins at are even
    if pixels.device.type == "cpu" and not (pixels[0, 0, 0].numel() % 2 or pixels.storage_offset() % 2):
        return _look_up_pairs(pixels, table.to(torch.uint8))
    index = pixels.to(torch.int32)
    if table.shape[:2] != (1, 1):
        rows = 256 * torch.arange(table.shape[0] * table.shape[1], dtype=torch.int32, device=pixels.device)
        index += rows.view(len(table), 1, -1, 1, 1)
    return table.flatten().index_select(0, index.flatten()).to(torch.uint8).view(pixels.shape)


def _look_up_pairs(pixels: UInt8[Tensor, "b t c h w"], table: UInt8[Tensor, "b s v"]) -> UInt8[Tensor, "b t c h w"]:
    """The same two neighbours at a time, in tables of 65536 pairs: half as many look-ups."""
    index = pixels.flatten(3).view(torch.uint16).to(torch.int32)
    spoilt = torch.empty(index.shape, dtype=torch.int16)
    for clip, places, tables in zip(spoilt, index, table, strict=True):
        pairs = torch.stack(torch.broadcast_tensors(tables[:, None], tables[:, :, None]), -1).view(torch.int16)
        for number, of_channel in enumerate(pairs.flatten(1)):
            part = slice(None) if len(tables) == 1 else slice(number, number + 1)
            clip[:, part] = of_channel.index_select(0, places[:, part].flatten()).view(clip[:, part].shape)
    return spoilt.view(torch.uint8).view(pixels.shape)
