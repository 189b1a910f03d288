"""Optimisers by name: torch's own, and sharpness-aware minimisation around them from pytorch-optimizer."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

import torch
from pytorch_optimizer import GSAM, SAM, FriendlySAM, LookSAM
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from harness.spec.method import OptimizerSpec, SamSpec

BASE: dict[str, Callable[..., Optimizer]] = {"adamw": AdamW, "adam": Adam, "sgd": SGD}

LOOKSAM_PERIOD = 10
LOOKSAM_ALPHA = 0.7
"""Full SAM step every tenth step, the orthogonal part reused at 0.7 in between (defaults of pytorch-optimizer)."""

FRIENDLY_SIGMA = 1.0
FRIENDLY_LAMBDA = 0.9
"""Defaults of Friendly-SAM's class (Li et al., CVPR 2024): the running mean of gradients is taken off in full."""

GSAM_ALPHA = 0.4
"""Weight of the surrogate gap (Zhuang et al., ICLR 2022, released default)."""


class TwoPassOptimizer(Protocol):
    """A SAM: climbs with the gradients of the first pass, steps with those of the second."""

    base_optimizer: Optimizer

    def first_step(self, zero_grad: bool = False) -> None:
        """Move the weights to where the second pass is made."""

    def second_step(self, zero_grad: bool = False) -> None:
        """Move the weights back and make the base optimiser's step."""


class TwoPassGSAM(GSAM):
    """GSAM with its two halves apart, as the other SAMs have them, and a constant radius.

    The radius follows the learning rate only if its two bounds differ; the authors' example sets them equal.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], base_optimizer: Optimizer, rho: float) -> None:
        super().__init__(
            list(parameters), base_optimizer, nn.Identity(), rho_scheduler=_ConstantRadius(rho), alpha=GSAM_ALPHA
        )

    def first_step(self, zero_grad: bool = False) -> None:
        """Perturb the weights along the gradient and remember it."""
        self.perturb_weights(rho=self.rho_t)
        if zero_grad:
            self.zero_grad()

    def second_step(self, zero_grad: bool = False) -> None:
        """Take the part of the first gradient that is orthogonal to the second off it, move back, step."""
        self.gradient_decompose(self.alpha)
        self.un_perturb()
        self.base_optimizer.step()
        if zero_grad:
            self.zero_grad()


class _ConstantRadius:
    """The scheduler that GSAM asks its radius of."""

    def __init__(self, rho: float) -> None:
        self.rho = rho

    def step(self) -> float:
        return self.rho


def build_optimizer(parameters: Iterable[nn.Parameter], spec: OptimizerSpec) -> Optimizer:
    """The base optimiser, wrapped in a SAM if the spec has one. All parameters are in one group, as in HDF and M3DFEL.

    ASAM is pytorch-optimizer's: it scales every parameter by its own size, biases and normalisations included.
    """
    parameters = list(parameters)
    options: dict[str, Any] = {"lr": spec.learning_rate, "weight_decay": spec.weight_decay}
    if spec.name == "sgd":
        options["momentum"] = spec.momentum
    base = BASE[spec.name]
    return base(parameters, **options) if spec.sam is None else _wrapped(parameters, base, options, spec.sam)


def _wrapped(
    parameters: list[nn.Parameter], base: Callable[..., Optimizer], options: dict[str, Any], sam: SamSpec
) -> Optimizer:
    """A SAM around a base optimiser."""
    wrapped: Optimizer
    if sam.name == "gsam":
        wrapped = TwoPassGSAM(parameters, base(parameters, **options), sam.rho)
    elif sam.name == "looksam":
        wrapped = LookSAM(parameters, base, rho=sam.rho, k=LOOKSAM_PERIOD, alpha=LOOKSAM_ALPHA, **options)
    elif sam.name == "friendly_sam":
        wrapped = FriendlySAM(parameters, base, rho=sam.rho, sigma=FRIENDLY_SIGMA, lmbda=FRIENDLY_LAMBDA, **options)
    else:
        wrapped = SAM(parameters, base, rho=sam.rho, adaptive=sam.name == "asam", **options)
    return wrapped


def base_of(optimizer: Optimizer) -> Optimizer:
    """The optimiser that makes the step: the wrapped one of a SAM, else the optimiser itself."""
    return getattr(optimizer, "base_optimizer", optimizer)


def set_learning_rate(optimizer: Optimizer, learning_rate: float) -> None:
    """Set the learning rate of the next step, in a SAM and in its base optimiser."""
    for one in (optimizer, base_of(optimizer)):
        for group in one.param_groups:
            group["lr"] = learning_rate


def needs_second_pass(optimizer: Optimizer) -> bool:
    """Whether this step asks for gradients at perturbed weights: LookSAM does so every tenth step only."""
    if isinstance(optimizer, LookSAM):
        return bool(optimizer.get_step() % optimizer.k == 0)
    return hasattr(optimizer, "first_step")


def global_norm(parameters: Iterable[nn.Parameter]) -> torch.Tensor:
    """L2 norm of all gradients together."""
    return nn.utils.get_total_norm([one.grad for one in parameters if one.grad is not None])
