"""What a few test clips looked like under each condition: block means that tell whether two entries saw the same."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from torch.nn import functional as F

from harness.seeds import derive
from harness.tables.schema import FINGERPRINT_VALUES
from harness.train.showing import Pass

FINGERPRINT_CLIPS = 8
"""Clips per condition and repeat whose looks are recorded."""
BLOCKS = (2, 4, 4)
"""Blocks of a clip in time, height and width."""


def fingerprint_clips(clip_ids: Iterable[str]) -> tuple[str, ...]:
    """The clips with the smallest hashes of their ids: the same for every trial of a fold, and spread over it."""
    return tuple(sorted(clip_ids, key=lambda clip_id: derive("fingerprint", clip_id))[:FINGERPRINT_CLIPS])


def block_means(pixels: UInt8[Tensor, "b t c h w"]) -> Float[Tensor, "b v"]:
    """Mean 8-bit level of every block and channel, in the order time, height, width, channel.

    Sums are in double precision, so that their order does not show. Where a side does not divide, blocks share a row.
    """
    volume = pixels.transpose(1, 2).double()
    means = F.adaptive_avg_pool3d(volume, BLOCKS).permute(0, 2, 3, 4, 1)
    return means.reshape(len(pixels), FINGERPRINT_VALUES).float()


class _Seen(NamedTuple):
    """Chosen clips under a pass; their block means stay where they were made, so that no GPU is waited for."""

    one: Pass
    clip_ids: list[str]
    means: Float[Tensor, "b v"]


class Fingerprints:
    """Collects the block means of chosen clips while they are evaluated.

    Attributes:
        chosen: ids of the clips.
    """

    def __init__(self, clip_ids: Iterable[str]) -> None:
        self.chosen = frozenset(fingerprint_clips(clip_ids))
        self._seen: list[_Seen] = []

    def look(self, one: Pass, clip_ids: Sequence[str], pixels: UInt8[Tensor, "b t c h w"]) -> None:
        """Keep the block means of those of a batch's clips that are chosen."""
        places = [place for place, clip_id in enumerate(clip_ids) if clip_id in self.chosen]
        if not places:
            return
        chosen = pixels.index_select(0, torch.tensor(places).to(pixels.device, non_blocking=True))
        self._seen.append(_Seen(one, [clip_ids[place] for place in places], block_means(chosen)))

    def rows(self) -> pd.DataFrame:
        """Rows of the fingerprints table, in the order in which they were seen."""
        frames = [
            pd.DataFrame(
                {
                    "perturbation": one.condition.perturbation,
                    "severity": np.float32(one.condition.severity),
                    "repeat": one.repeat,
                    "clip_id": clip_ids,
                    "values": list(means.cpu().numpy()),
                }
            )
            for one, clip_ids, means in self._seen
        ]
        return pd.concat(frames, ignore_index=True)
