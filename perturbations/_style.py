"""A clip's colour statistics moved towards those of a donor, per channel and over the whole clip."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor

from perturbations._contract import Params
from perturbations._curve import look_up
from perturbations._donors import donors
from perturbations._pixels import to_pixels


def move_statistics(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Each channel's mean and standard deviation brought a ``share`` of the way to the donor's."""
    own, foreign = _counts(pixels), _counts(donors(params["host_donor"], pixels)[:, None])
    share = params["share"].to(torch.float64)[:, None, None]
    (mean, spread), (other_mean, other_spread) = _moments(own), _moments(foreign)
    gain = 1 + share * (other_spread / spread.clamp(min=1) - 1)
    table = (_values(pixels) - mean) * gain + mean + share * (other_mean - mean)
    return look_up(pixels, {"table": _table(table)})


def move_statistics_lab(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Means and standard deviations of CIELAB's channels brought a ``share`` of the way to the donor's.

    Colours that leave sRGB's gamut are clipped.
    """
    faces = donors(params["host_donor"], pixels)
    clips = zip(pixels, faces, params["share"], strict=True)
    return torch.stack([_towards(clip, face, share) for clip, face, share in clips])


def _towards(
    clip: UInt8[Tensor, "t c h w"], face: UInt8[Tensor, "c h w"], share: Float32[Tensor, ""]
) -> UInt8[Tensor, "t c h w"]:
    from kornia.color import lab_to_rgb, rgb_to_lab

    own, foreign = (rgb_to_lab(picture.to(torch.float32) / 255) for picture in (clip, face[None]))
    (spread, mean), (other_spread, other_mean) = (
        torch.std_mean(lab, (0, 2, 3), correction=0, keepdim=True) for lab in (own, foreign)
    )
    gain = 1 + share * (other_spread / spread.clamp(min=0.5) - 1)
    moved = (own - mean) * gain + mean + share * (other_mean - mean)
    return to_pixels(lab_to_rgb(moved) * 255)


def match_histograms(pixels: UInt8[Tensor, "b t c h w"], params: Params) -> UInt8[Tensor, "b t c h w"]:
    """Each channel's values brought a ``share`` of the way to those of equal rank in the donor.

    kornia's ``histogram_matching`` mixes all channels and clips into one histogram; here each has its own.
    """
    own, foreign = _counts(pixels), _counts(donors(params["host_donor"], pixels)[:, None])
    ranks = (own.cumsum(-1) - own / 2) / own.sum(-1, keepdim=True)
    ladder = foreign.cumsum(-1) / foreign.sum(-1, keepdim=True)
    matched = torch.searchsorted(ladder, ranks).clamp(max=255).to(torch.float64)
    share = params["share"].to(torch.float64)[:, None, None]
    values = _values(pixels)
    return look_up(pixels, {"table": _table(values + share * (matched - values))})


def _counts(pixels: UInt8[Tensor, "b t c h w"]) -> Float64[Tensor, "b c v"]:
    """Each channel's histogram over the clip."""
    flat = pixels.transpose(1, 2).flatten(2)
    if not pixels.is_cpu:
        # bincount looks for its largest value, for which the host would have to wait
        places, none = flat.to(torch.int64), flat.new_zeros(*flat.shape[:2], 256, dtype=torch.int64)
        with _added_up_in_any_order():
            return none.scatter_add_(2, places, torch.ones_like(places)).to(torch.float64)
    rows = [torch.bincount(row, minlength=256) for clip in flat for row in clip]
    return torch.stack(rows).view(*flat.shape[:2], 256).to(torch.float64)


@contextmanager
def _added_up_in_any_order() -> Iterator[None]:
    """Whole numbers have one sum. Where deterministic kernels are asked for, torch would sort them first on a GPU."""
    asked = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(False)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(asked[0], warn_only=asked[1])


def _moments(counts: Float64[Tensor, "b c v"]) -> tuple[Float64[Tensor, "b c 1"], Float64[Tensor, "b c 1"]]:
    """Mean and standard deviation of histograms; sums of whole numbers, hence exact."""
    values = torch.arange(256, dtype=torch.float64, device=counts.device)
    total = counts.sum(-1, keepdim=True)
    mean = (counts * values).sum(-1, keepdim=True) / total
    return mean, ((counts * values * values).sum(-1, keepdim=True) / total - mean * mean).clamp(min=0).sqrt()


def _values(pixels: UInt8[Tensor, "b t c h w"]) -> Float64[Tensor, " v"]:
    return torch.arange(256, dtype=torch.float64, device=pixels.device)


def _table(values: Float64[Tensor, "b c v"]) -> Tensor:
    return values.clamp(0, 255).round().to(torch.int16)
