"""Clips of a batch that ask for the same work, which a device does in one go."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import torch
from jaxtyping import Integer, UInt8
from torch import Tensor

Value = TypeVar("Value", bound=Hashable)


def by_value(
    pixels: UInt8[Tensor, "b t c h w"],
    values: Sequence[Value],
    work: Callable[[UInt8[Tensor, "n t c h w"], Value], Integer[Tensor, "n t c h w"]],
) -> UInt8[Tensor, "b t c h w"]:
    """Each clip as ``work`` makes it with the clip's value: 8-bit pixels, or the low bytes of wider numbers.

    On the CPU ``work`` gets clips one by one, which keeps them in cache; elsewhere it gets all those of a value, which
    spares the device many small pieces of work. In an evaluation that is the whole batch.
    """
    different = dict.fromkeys(values)
    if len(pixels) == 1 or (len(different) == 1 and not pixels.is_cpu):
        return work(pixels, values[0]).to(torch.uint8)
    if pixels.is_cpu:
        spoilt = torch.empty_like(pixels)
        for into, clip, value in zip(spoilt, pixels, values, strict=True):
            into.copy_(work(clip[None], value)[0])
        return spoilt
    spoilt = torch.empty_like(pixels)
    for value in different:
        places = torch.tensor([place for place, each in enumerate(values) if each == value])
        places = places.to(pixels.device, non_blocking=True)
        spoilt.index_copy_(0, places, work(pixels.index_select(0, places), value).to(torch.uint8))
    return spoilt
