"""Few photons: every value redrawn from a Poisson law."""

import math
from functools import lru_cache
from itertools import groupby

import torch
from jaxtyping import Int16, UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Params, Perturbation
from perturbations._levels import within
from perturbations._pixels import scalar
from perturbations._random import bits16

QUANTILES = 4096
LEAST = 0.1
"""Photons that make white, of which hardly one is ever seen."""


def draw(level: float, key: int, shape: ClipShape) -> Params:
    """The noise's key and the number of photons that make white."""
    return {"key": torch.tensor(key), "host_photons": scalar(within(level, LEAST, math.inf))}


def apply(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Counts of a Poisson law with mean level * value, back on the scale of values, by inversion in integers."""
    chance = bits16(params["key"], 0, tuple(pixels.shape[1:])).bitwise_and_(QUANTILES - 1)
    index = pixels.to(torch.int32).mul_(QUANTILES).add_(chance)
    spoilt, first = torch.empty_like(pixels), 0
    for photons, neighbours in groupby(params["host_photons"].tolist()):
        alike = slice(first, first := first + len(list(neighbours)))
        drawn = _quantiles(photons, pixels.device).index_select(0, index[alike].flatten())
        spoilt[alike] = drawn.view(index[alike].shape)
    return spoilt


@lru_cache(maxsize=16)
def _quantiles(photons: float, device: torch.device) -> Int16[Tensor, " n"]:
    """For each of 256 values, its 4096 equiprobable Poisson quantiles as 8-bit values."""
    counts = torch.arange(int(photons + 8 * photons**0.5 + 16), dtype=torch.float64)
    rates = torch.arange(256, dtype=torch.float64)[:, None] * (photons / 255)
    chances = (torch.xlogy(counts, rates) - rates - torch.lgamma(counts + 1)).exp().cumsum(1)
    middles = (torch.arange(QUANTILES, dtype=torch.float64) + 0.5) / QUANTILES
    drawn = torch.searchsorted(chances, middles.expand(256, -1).contiguous())
    return (drawn * (255 / photons)).clamp(max=255).round().to(torch.int16).flatten().to(device)


shot_noise = Perturbation(
    title="Shot noise",
    family="noise",
    unit="photons that make white",
    levels=(250.0, 100.0, 50.0, 30.0, 15.0),
    granularity="frame",
    label_preserving="yes",
    source="Tiny-ImageNet-C shot_noise (Hendrycks and Dietterich 2019)",
    draw=draw,
    apply=apply,
)
