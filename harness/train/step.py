"""One step of training: the loss, its gradients, and the optimiser's move, once or (with SAM) twice over."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer

from harness.errors import HarnessError
from harness.objectives._contract import LossParts, TrainState
from harness.spec.method import OptimizerSpec
from harness.spec.trial import Precision
from harness.train.isolation import convolutions_in_tf32
from harness.train.optimizer import TwoPassOptimizer, base_of, global_norm, needs_second_pass
from models._blocks.model import Output


class Diverged(HarnessError):  # noqa: N818 - an outcome that trials report by this name
    """The loss or its gradient stopped being a finite number.

    Attributes:
        step: index of the step, counted from 0.
        value: the loss, or the gradient's norm if the loss was finite.
    """

    def __init__(self, step: int, value: float) -> None:
        self.step = step
        self.value = value
        super().__init__(
            f"Training diverged: the loss or its gradient is {value} at step {step}. "
            "Lower the learning rate or SAM's rho, lengthen the warm-up, or clip the gradient."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What a step saw before it moved the weights.

    Attributes:
        loss: of the batch at the unperturbed weights.
        parts: the objective's named parts, likewise.
        gradient_norm: L2 norm of the loss's gradient at the unperturbed weights, before clipping.
        logits: of the batch at the unperturbed weights, without history.
    """

    loss: float
    parts: dict[str, float]
    gradient_norm: float
    logits: Float[Tensor, "b k"]


class _Pass(NamedTuple):
    """One forward and backward pass."""

    result: LossParts
    logits: Tensor


class Stepper:
    """Makes optimisation steps on one network.

    With SAM, the first pass is made at the weights and reported; its gradient's norm reaches the objective in the
    second pass of the same step and in the first pass of the next one. The second pass draws its own dropout masks, as
    the reference implementation does, and leaves batch normalisation's running statistics alone unless the spec says
    ``updated``. Clipping scales all gradients by one factor, so that it keeps their direction, and acts on those that
    the base optimiser steps with.

    With ``accumulation`` set, a batch is taken in that many micro-batches, whose losses are weighted by their sizes.
    The gradient is the whole batch's where the objective is a mean over clips. Batch normalisation, contrastive terms
    and objectives that keep a state see micro-batches.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: nn.Module,
        optimizer: Optimizer,
        spec: OptimizerSpec,
        *,
        clip_gradient: float | None = None,
        precision: Precision = "float32",
    ) -> None:
        self.model = model
        self.loss = loss
        self.optimizer = optimizer
        self.freezes_statistics = spec.sam is not None and spec.sam.batch_norm == "frozen"
        self.precision = precision
        self.accumulation = 1
        self.step_index = 0
        self.last_norm: Tensor | None = None
        if clip_gradient is not None:
            base_of(optimizer).register_step_pre_hook(_Clip(clip_gradient))

    def step(self, clips: Float[Tensor, "b t c h w"], labels: Int[Tensor, " b"], state: TrainState) -> StepReport:
        """Move the weights once; the state's gradient norm is filled in here.

        Raises:
            Diverged: if a loss or the gradient's norm is not finite; the base optimiser has not stepped then.
        """
        state = replace(state, gradient_norm=self.last_norm)
        first = self._pass(clips, labels, state)
        norm = self._gradient_norm()
        loss, gradient_norm, *parts = self._finite(first.result.loss, norm, *first.result.parts.values())
        self.last_norm = norm
        if needs_second_pass(self.optimizer):
            self._second_pass(clips, labels, replace(state, gradient_norm=norm))
        elif hasattr(self.optimizer, "second_step"):
            cast(TwoPassOptimizer, self.optimizer).second_step()
        else:
            self.optimizer.step()
        self.step_index += 1
        return StepReport(
            loss=loss,
            parts=dict(zip(first.result.parts, parts, strict=True)),
            gradient_norm=gradient_norm,
            logits=first.logits,
        )

    def _second_pass(self, clips: Float[Tensor, "b t c h w"], labels: Int[Tensor, " b"], state: TrainState) -> None:
        """Climb, take the gradients there, come back and step."""
        optimizer = cast(TwoPassOptimizer, self.optimizer)
        optimizer.first_step(zero_grad=True)
        with statistics_frozen(self.model, self.freezes_statistics):
            uphill = self._pass(clips, labels, state)
        self._finite(uphill.result.loss)
        optimizer.second_step()

    def _pass(self, clips: Float[Tensor, "b t c h w"], labels: Int[Tensor, " b"], state: TrainState) -> _Pass:
        """Fresh gradients of the loss of a batch, taken whole or in micro-batches of at least two clips."""
        self.optimizer.zero_grad()
        parts = min(self.accumulation, max(1, len(clips) // 2))
        if parts == 1:
            return self._backward(clips, labels, state, 1.0)
        shares, passes = [], []
        for rows in torch.arange(len(clips), device=clips.device).tensor_split(parts):
            shares.append(len(rows) / len(clips))
            passes.append(self._backward(clips[rows], labels[rows], _rows_of(state, rows), shares[-1]))
        return _joined(passes, shares)

    def _backward(
        self, clips: Float[Tensor, "b t c h w"], labels: Int[Tensor, " b"], state: TrainState, share: float
    ) -> _Pass:
        """Add the gradients of a share of the loss; the loss itself is computed in single precision."""
        with convolutions_in_tf32(allowed=self.precision == "tf32"):
            with torch.autocast(clips.device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
                output: Output = self.model(clips)
            logits = output.logits.float()
            if output.auxiliary is not None:
                state = replace(state, auxiliary=output.auxiliary.float())
            result: LossParts = self.loss(logits, output.features.float(), labels, state)
            (result.loss * share if share < 1 else result.loss).backward()
        return _Pass(LossParts(result.loss.detach(), result.parts), logits.detach())

    def _gradient_norm(self) -> Tensor:
        """Norm of the gradients at hand."""
        return global_norm(parameter for group in self.optimizer.param_groups for parameter in group["params"])

    def _finite(self, *values: Tensor) -> list[float]:
        """The values as numbers, fetched from the device at once; the loss first, and the gradient's norm if any."""
        numbers: list[float] = torch.stack([value.detach().float() for value in values]).tolist()
        for number in numbers[:2]:
            if not math.isfinite(number):
                raise Diverged(self.step_index, number)
        return numbers


def _rows_of(state: TrainState, rows: Int[Tensor, " m"]) -> TrainState:
    """What an objective may know of some of a batch's clips."""
    groups = None if state.groups is None else state.groups[rows]
    soft = None if state.label_distributions is None else state.label_distributions[rows]
    return replace(state, groups=groups, label_distributions=soft)


def _joined(passes: Sequence[_Pass], shares: Sequence[float]) -> _Pass:
    """Passes over parts of a batch as one: means of their losses by size, their logits one after another."""

    def mean(values: Iterable[Tensor]) -> Tensor:
        return torch.stack([share * value for share, value in zip(shares, values, strict=True)]).sum()

    loss = mean(one.result.loss for one in passes)
    parts = {name: mean(one.result.parts[name] for one in passes) for name in passes[0].result.parts}
    return _Pass(LossParts(loss, parts), torch.cat([one.logits for one in passes]))


class _Clip:
    """A hook before the base optimiser's step that scales all its gradients down to a largest norm."""

    def __init__(self, largest: float) -> None:
        self.largest = largest

    def __call__(self, optimizer: Optimizer, args: Any, kwargs: Any) -> None:
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        nn.utils.clip_grad_norm_(parameters, self.largest)


@contextmanager
def statistics_frozen(model: nn.Module, frozen: bool) -> Iterator[None]:
    """Within it, batch normalisation uses the batch's statistics and leaves its running ones as they are."""
    layers = [one for one in model.modules() if isinstance(one, _BatchNorm) and one.track_running_stats and frozen]
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True
