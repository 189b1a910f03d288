"""Losses per group of clips, for objectives that compare groups."""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from harness.objectives._contract import TrainingData, TrainState

GroupBy = Literal["domain", "class"]
"""Domains are what the data set names (FERV39k: scenes); classes serve where it names none."""


class GroupLosses(NamedTuple):
    """Mean loss of each group, zero for groups without a clip in the batch, and which have one."""

    losses: Float[Tensor, " g"]
    present: Bool[Tensor, " g"]


def num_groups(group_by: GroupBy, data: TrainingData) -> int:
    """How many groups there are.

    Raises:
        ValueError: for fewer than two.
    """
    count = len(data.class_counts) if group_by == "class" else data.num_groups
    if count < 2:
        raise ValueError(
            f"compares groups of clips, and the data set has {count} of them; use one with domains, or group_by: class"
        )
    return count


def groups_of(group_by: GroupBy, labels: Int[Tensor, " b"], state: TrainState) -> Int[Tensor, " b"]:
    """Each clip's group.

    Raises:
        ValueError: if domains are asked for and the training step names none.
    """
    if group_by == "class":
        return labels
    if state.groups is None:
        raise ValueError("the training step names no groups, and the objective compares them")
    return state.groups


def group_losses(losses: Float[Tensor, " b"], groups: Int[Tensor, " b"], count: int) -> GroupLosses:
    """Losses averaged within groups."""
    # bincount looks for its largest value, for which the host would have to wait on a GPU
    members = groups.new_zeros(count).scatter_add(0, groups, torch.ones_like(groups))
    sums = losses.new_zeros(count).index_add(0, groups, losses)
    return GroupLosses(sums / members.clamp(min=1), members > 0)
