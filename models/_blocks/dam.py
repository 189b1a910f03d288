"""HDF's time-frequency distributional attention (DAM): a gate per frame and one per pixel, on any feature map.

Source: Cui et al., Learning from Heterogeneity: Generalizing Dynamic Facial Expression Recognition via Distributionally
Robust Optimization, ACM MM 2025 (arXiv 2507.15765), architecture figure; initial values and the order of operations are
those of the released module. The frequency branch builds on the DCT attention of FSTA-SNN (Yu et al., AAAI 2025); its
last normalisation is a dynamic tanh (Zhu et al., CVPR 2025) divided by the deviation over frequencies.
"""

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

FREQUENCIES = 7
"""Side of the DCT bank: 7 x 7 filters of 7 x 7 pixels."""

TRANSPORT_WEIGHT = 0.05
"""Fixed factor of the deviation term in the learned perturbation (``wasserstein_reg`` in the released module)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DamConfig:
    """Which parts of the module act.

    Attributes:
        temporal: whether frames are gated; a branch that is off passes its input on.
        frequency: whether pixels are gated.
        difference: neighbours whose difference lowers the temporal response: ``bins`` of channels, as the released code
            has it, or ``frames``, as temporal consistency asks.
    """

    temporal: bool = True
    frequency: bool = True
    difference: Literal["bins", "frames"] = "bins"


def dct_bank(side: int = FREQUENCIES) -> Float[Tensor, "n 1 side side"]:
    """The orthonormal two-dimensional DCT-II basis, one filter per frequency pair.

    Filter ``i`` is ``c_u c_v cos(pi u (y + 1/2) / side) cos(pi v (x + 1/2) / side)`` with vertical frequency
    ``u = i % side``, horizontal frequency ``v = i // side``, ``c_0 = sqrt(1 / side)`` and else ``c = sqrt(2 / side)``.
    """
    position = torch.arange(side, dtype=torch.float64)
    waves = torch.cos(math.pi / side * position[:, None] * (position[None, :] + 0.5)) * math.sqrt(2 / side)
    waves[0] /= math.sqrt(2)
    bank = torch.einsum("uy,vx->vuyx", waves, waves)
    return bank.reshape(side * side, 1, side, side).float()


class DAM(nn.Module):
    """Two gates on one feature map: ``(w_t (x g_t + x) + w_s (x g_s + x)) / 2``.

    Has 4,237 parameters for 16 frames, whatever the number of channels.

    Attributes:
        frames: clip length that the temporal branch is built for. A clip of another length has its descriptors
            interpolated to it and its gates interpolated back.
    """

    def __init__(self, frames: int, config: DamConfig | None = None) -> None:
        super().__init__()
        config = config or DamConfig()
        self.temporal = TemporalGate(frames, config.difference) if config.temporal else None
        self.frequency = FrequencyGate() if config.frequency else None
        self.temporal_weight = nn.Parameter(torch.tensor(0.8))
        self.frequency_weight = nn.Parameter(torch.tensor(0.3))

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c t h w"]:
        """The gated feature map. Both gates are one factor per frame and pixel, so the map is written once."""
        frame_factor = self.temporal_weight
        if self.temporal is not None:
            frame_factor = frame_factor * (1 + self.temporal(volume))[:, None, :, None, None]
        pixel_factor = self.frequency_weight
        if self.frequency is not None:
            pixel_factor = pixel_factor * (1 + self.frequency(volume))[:, None, None]
        return volume * ((frame_factor + pixel_factor) / 2).to(volume.dtype)


class TemporalGate(nn.Module):
    """A gate per frame from robust channel descriptors, mixed over frames by attention.

    Each frame is described by the averages and the maxima of as many channel bins as there are frames. Bins overlap
    where channels do not divide evenly, as adaptive pooling has it.
    """

    def __init__(self, frames: int, difference: Literal["bins", "frames"]) -> None:
        super().__init__()
        self.frames = frames
        self.difference = difference
        self.average_weight = nn.Parameter(torch.tensor(0.5))
        self.maximum_weight = nn.Parameter(torch.tensor(0.5))
        self.scale = nn.Parameter(torch.ones(frames, frames))
        self.deviation_weight = nn.Parameter(torch.zeros(frames, frames))
        self.mix = nn.Linear(frames, frames, bias=False)
        self.query = nn.Linear(frames, frames)
        self.key = nn.Linear(frames, frames)
        self.value = nn.Linear(frames, frames)

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b t"]:
        """Gates in (0, 1)."""
        average = bin_averages(self._descriptors(volume.mean(dim=(3, 4))), self.frames)
        maximum = bin_maxima(self._descriptors(volume.amax(dim=(3, 4))), self.frames)
        response = self._response(average, maximum)
        mixed = self.mix(response.transpose(1, 2)).transpose(1, 2)
        attended = functional.scaled_dot_product_attention(self.query(mixed), self.key(mixed), self.value(mixed))
        gates = torch.sigmoid(attended.mean(dim=2))
        return _resampled(gates[:, None], volume.shape[2])[:, 0]

    def _descriptors(self, channels: Float[Tensor, "b c s"]) -> Float[Tensor, "b t c"]:
        """Frames, resampled to the length built for, by channels."""
        return _resampled(channels, self.frames).transpose(1, 2)

    def _response(self, average: Float[Tensor, "b t t"], maximum: Float[Tensor, "b t t"]) -> Float[Tensor, "b t t"]:
        """Sigmoid of fused descriptors, plus the frame's deviation over bins, minus the difference of neighbours."""
        deviation = torch.linalg.vector_norm(average - average.mean(dim=2, keepdim=True), dim=2, keepdim=True)
        fused = self.average_weight * average + self.maximum_weight * maximum
        axis, padding = (2, (1, 0)) if self.difference == "bins" else (1, (0, 0, 1, 0))
        difference = functional.pad(average.diff(dim=axis).abs(), padding)
        return torch.sigmoid(self.scale * fused + self.deviation_weight * deviation - difference)


class FrequencyGate(nn.Module):
    """A gate per pixel from the DCT responses of the clip's mean frame and of a learned perturbation of them.

    The released module repeats each filter over all channels; the same filter on every channel is that filter on the
    channels' sum, which is what is computed.
    """

    bank: Tensor

    def __init__(self) -> None:
        super().__init__()
        count = FREQUENCIES**2
        self.register_buffer("bank", dct_bank(), persistent=False)
        self.clean_weight = nn.Parameter(torch.tensor(0.5))
        self.perturbed_weight = nn.Parameter(torch.tensor(0.5))
        self.noise = nn.Parameter(0.1 * torch.randn(1, count, 1, 1))
        self.noise_weight = nn.Parameter(torch.ones(1, count, 1, 1))
        self.deviation_weight = nn.Parameter(torch.zeros(1, count, 1, 1))
        self.squash = DynamicTanh(count)
        self.collect = nn.Conv2d(count, 1, FREQUENCIES, padding=FREQUENCIES // 2, bias=False)

    def forward(self, volume: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b h w"]:
        """Gates in (0, 1), the same for all frames and channels."""
        image = volume.sum(dim=1, keepdim=True).mean(dim=2)
        responses = functional.conv2d(image, self.bank.to(image.dtype), padding=FREQUENCIES // 2)
        perturbed = responses + self._perturbation(responses)
        both = (self.clean_weight * responses + self.perturbed_weight * perturbed) / 2
        gates: Tensor = torch.sigmoid(self.collect(self.squash(both)))
        return gates.squeeze(1)

    def _perturbation(self, responses: Float[Tensor, "b n h w"]) -> Float[Tensor, "b n h w"]:
        """A learned step along each response's sign: a fixed size, and one that grows with the spatial deviation."""
        centred = responses - responses.mean(dim=(2, 3), keepdim=True)
        deviation = torch.linalg.vector_norm(centred, dim=(2, 3), keepdim=True)
        step = self.noise * self.noise_weight + TRANSPORT_WEIGHT * self.deviation_weight * deviation
        perturbation: Tensor = step * responses.sign()
        return perturbation


class DynamicTanh(nn.Module):
    """``tanh(alpha f / deviation) gamma + beta``, the deviation taken over frequencies at each pixel."""

    def __init__(self, channels: int, epsilon: float = 1e-6) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.alpha = nn.Parameter(torch.tensor(0.5))
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, responses: Float[Tensor, "b n h w"]) -> Float[Tensor, "b n h w"]:
        """Squashed responses; the epsilon is added inside and outside the root, as released."""
        deviation = torch.sqrt(responses.var(dim=1, keepdim=True) + self.epsilon) + self.epsilon
        return torch.tanh(self.alpha / deviation * responses) * self.gamma + self.beta


def bin_averages(values: Float[Tensor, "b t c"], bins: int) -> Float[Tensor, "b t n"]:
    """Averages of bins of channels, as ``adaptive_avg_pool1d``, whose gradient is not deterministic on CUDA."""
    index, inside = channel_bins(values.shape[2], bins, values.device)
    return (values[..., index] * inside).sum(dim=3) / inside.sum(dim=1)


def bin_maxima(values: Float[Tensor, "b t c"], bins: int) -> Float[Tensor, "b t n"]:
    """Maxima of bins of channels, as ``adaptive_max_pool1d``, whose gradient is not deterministic on CUDA."""
    index, _ = channel_bins(values.shape[2], bins, values.device)
    return values[..., index].max(dim=3).values


def channel_bins(channels: int, bins: int, device: torch.device) -> tuple[Int[Tensor, "n s"], Bool[Tensor, "n s"]]:
    """The channels of each bin, from ``floor(i c / n)`` to before ``ceil((i + 1) c / n)``.

    Returns:
        Indices, a narrow bin's last one repeated, and which of them are not repeated.
    """
    widest = max(((one + 1) * channels - 1) // bins - one * channels // bins for one in range(bins)) + 1
    number = torch.arange(bins, device=device)[:, None]
    first, last = number * channels // bins, ((number + 1) * channels - 1) // bins
    place = first + torch.arange(widest, device=device)
    return place.minimum(last), place <= last


def _resampled(values: Float[Tensor, "b c s"], length: int) -> Float[Tensor, "b c t"]:
    """Linear interpolation over the last axis, which keeps values where the length is already right."""
    if values.shape[2] == length:
        return values
    resampled: Tensor = functional.interpolate(values, size=length, mode="linear", align_corners=False)
    return resampled
