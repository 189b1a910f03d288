"""The last layer: a linear classifier, or one of cosines for margins that are defined on them."""

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

ClassifierKind = Literal["linear", "cosine"]
"""``cosine`` is what LDAM is defined on."""

COSINE_SCALE = 30.0
"""Factor on cosines that makes them logits (Cao et al., LDAM, NeurIPS 2019, released code)."""


class CosineClassifier(nn.Module):
    """Scaled cosines between features and one direction per class."""

    def __init__(self, num_features: int, num_classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(num_classes, num_features))
        nn.init.normal_(self.weight)

    def forward(self, features: Float[Tensor, "b d"]) -> Float[Tensor, "b k"]:
        """Logits between minus and plus the scale."""
        return COSINE_SCALE * functional.linear(functional.normalize(features), functional.normalize(self.weight))


def build_classifier(kind: ClassifierKind, num_features: int, num_classes: int) -> nn.Module:
    """A classifier of the asked kind with fresh weights."""
    return CosineClassifier(num_features, num_classes) if kind == "cosine" else nn.Linear(num_features, num_classes)
