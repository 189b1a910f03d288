"""The pre-norm transformer layers that Former-DFER and GCA+IAL share.

Source: Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, figure 1; the attention has no query, key and
value biases and the GELU is the tanh approximation, as both released codes have it.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class TransformerSize(NamedTuple):
    """Layers, heads per layer, channels per head, and channels of the hidden layer."""

    layers: int
    heads: int
    head: int
    hidden: int


class SelfAttention(nn.Module):
    """Multi-head attention of tokens to each other (Vaswani et al., NeurIPS 2017, section 3.2)."""

    def __init__(self, channels: int, heads: int, head: int, *, project: bool = True) -> None:
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(channels, 3 * heads * head, bias=False)
        self.project = nn.Linear(heads * head, channels) if project else nn.Identity()

    def forward(self, tokens: Float[Tensor, "b n c"]) -> Float[Tensor, "b n d"]:
        """Attended tokens."""
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in self.queries_keys_values(tokens).chunk(3, dim=2)
        )
        attended = functional.scaled_dot_product_attention(query, key, value)
        projected: Tensor = self.project(attended.transpose(1, 2).flatten(2))
        return projected


class TransformerLayer(nn.Module):
    """Attention and a two-layer perceptron, each on normalised tokens and added to them."""

    def __init__(self, channels: int, size: TransformerSize) -> None:
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(channels), SelfAttention(channels, size.heads, size.head))
        self.perceptron = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, size.hidden),
            nn.GELU(approximate="tanh"),
            nn.Linear(size.hidden, channels),
        )

    def forward(self, tokens: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """Tokens of the same shape."""
        tokens = tokens + self.attention(tokens)
        mixed: Tensor = tokens + self.perceptron(tokens)
        return mixed


class PositionedTransformer(nn.Module):
    """Learned positions, drawn from N(0, 1), added to tokens; then transformer layers."""

    def __init__(self, tokens: int, channels: int, size: TransformerSize) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(1, tokens, channels))
        self.layers = nn.Sequential(*(TransformerLayer(channels, size) for _ in range(size.layers)))

    def forward(self, tokens: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """Tokens of the same shape."""
        mixed: Tensor = self.layers(tokens + self.positions)
        return mixed
