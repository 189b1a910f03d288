"""Counter-based randomness: a value is a hash of (key, stream, index), so no draw depends on any other.

The hash is SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): the
words of a (key, stream) pair are the SplitMix64 sequence seeded with their mixture. Everything up to the 64-bit
words is integer arithmetic modulo 2**64, which torch's int64 performs bit for bit alike on CPU and CUDA. ``Draws``
gives a clip's few parameters on the host; the functions on ``keys`` give fields for a batch on its device.

Uniform fields are exact dyadic fractions. Normal fields look 65536 equiprobable quantiles up in a float32 table made
once on the CPU (largest magnitude 4.3 standard deviations), so the devices of one machine agree in every bit; the
table's inverse error function is the one step that may differ by an ulp between mathematical libraries.
"""

from functools import lru_cache
from statistics import NormalDist

import torch
from jaxtyping import Float32, Int16, Int64
from torch import Tensor

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
_ROUNDS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_LAST_SHIFT = 31
_NORMAL = NormalDist()


def mix(word: int) -> int:
    """The SplitMix64 finaliser of one 64-bit word (a bijection)."""
    for shift, factor in _ROUNDS:
        word = ((word ^ (word >> shift)) * factor) & _MASK
    return word ^ (word >> _LAST_SHIFT)


class Draws:
    """The draws of one clip's parameters, in order: SplitMix64 seeded with a key and a stream number.

    Streams of one key are independent; a perturbation uses one for each thing that it draws.
    """

    def __init__(self, key: int, stream: int = 0) -> None:
        self._state = _seed(key, stream)

    def word(self) -> int:
        """The next 64 random bits."""
        self._state = (self._state + _GAMMA) & _MASK
        return mix(self._state)

    def uniform(self, low: int | float = 0, high: int | float = 1) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * ((self.word() >> 11) * 2.0**-53)

    def integer(self, count: int) -> int:
        """Uniform over 0 .. count - 1."""
        return (self.word() * count) >> 64

    def sign(self) -> int:
        """-1 or 1, evenly."""
        return 1 - 2 * (self.word() >> 63)

    def normal(self) -> float:
        """Standard normal, by inversion."""
        return _NORMAL.inv_cdf(((self.word() >> 12) + 0.5) * 2.0**-52)

    def permutation(self, count: int) -> list[int]:
        """A uniform permutation of 0 .. count - 1."""
        words = [self.word() for _ in range(count)]
        return sorted(range(count), key=words.__getitem__)

    def subset(self, count: int, size: int) -> list[int]:
        """``size`` different numbers out of 0 .. count - 1, ascending."""
        return sorted(self.permutation(count)[:size])


def words(keys: Int64[Tensor, " b"], stream: int, count: int) -> Int64[Tensor, "b n"]:
    """``count`` random 64-bit words for each key."""
    seeds = _mix_in_place(keys ^ _signed(mix(stream + 1)))
    return _mix_in_place(seeds[:, None] + _counter(count, keys.device))


def bits16(keys: Int64[Tensor, " b"], stream: int, shape: tuple[int, ...]) -> Int16[Tensor, "b ..."]:
    """A field of 16 random bits per element, as integers from -32768 to 32767."""
    count = _size(shape)
    return words(keys, stream, (count + 3) // 4).view(torch.int16)[:, :count].reshape(len(keys), *shape)


def uniform(keys: Int64[Tensor, " b"], stream: int, shape: tuple[int, ...]) -> Float32[Tensor, "b ..."]:
    """A field uniform in [0, 1): multiples of 2**-24, exact on every device."""
    count = _size(shape)
    halves = words(keys, stream, (count + 1) // 2).view(torch.int32)[:, :count]
    return (halves >> 8).bitwise_and_((1 << 24) - 1).to(torch.float32).mul_(2.0**-24).view(len(keys), *shape)


def integers(keys: Int64[Tensor, " b"], stream: int, shape: tuple[int, ...], count: int) -> Int64[Tensor, "b ..."]:
    """A field uniform over 0 .. count - 1, for counts below 2**31 (bias below count / 2**32)."""
    size = _size(shape)
    halves = words(keys, stream, (size + 1) // 2).view(torch.int32)[:, :size].to(torch.int64)
    return ((halves & 0xFFFFFFFF) * count >> 32).view(len(keys), *shape)


def normal(keys: Int64[Tensor, " b"], stream: int, shape: tuple[int, ...]) -> Float32[Tensor, "b ..."]:
    """A standard normal field of 65536 equiprobable quantiles."""
    index = bits16(keys, stream, shape).to(torch.int32).add_(1 << 15)
    return _normal_quantiles(keys.device).index_select(0, index.flatten()).view(index.shape)


def _seed(key: int, stream: int) -> int:
    return mix((key ^ mix(stream + 1)) & _MASK)


def _signed(word: int) -> int:
    """The int64 of the same bits."""
    return word - (1 << 64) if word >> 63 else word


def _mix_in_place(state: Int64[Tensor, "*n"]) -> Int64[Tensor, "*n"]:
    """``mix`` elementwise; shifts of int64 copy the sign, hence the masks."""
    shifted = torch.empty_like(state)
    for shift, factor in (*_ROUNDS, (_LAST_SHIFT, 1)):
        torch.bitwise_right_shift(state, shift, out=shifted)
        state.bitwise_xor_(shifted.bitwise_and_((1 << (64 - shift)) - 1))
        if factor != 1:
            state.mul_(_signed(factor))
    return state


@lru_cache(maxsize=8)
def _counter(count: int, device: torch.device) -> Int64[Tensor, " n"]:
    """The multiples 1 .. count of the Weyl increment, modulo 2**64."""
    return torch.arange(1, count + 1, device=device).mul_(_signed(_GAMMA))


@lru_cache(maxsize=8)
def _normal_quantiles(device: torch.device) -> Float32[Tensor, " n"]:
    probabilities = (torch.arange(1 << 16, dtype=torch.float64) + 0.5) / (1 << 16)
    quantiles: Tensor = torch.special.ndtri(probabilities)
    return quantiles.to(torch.float32).to(device)


def _size(shape: tuple[int, ...]) -> int:
    return int(torch.Size(shape).numel())
