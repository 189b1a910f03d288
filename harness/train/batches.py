"""Batches of clips from the packed store: shuffled and augmented for training, in order for evaluation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from harness.data.clip import Clip, Source
from harness.data.sampling import sample
from harness.data.store import ClipStore
from harness.errors import HarnessError
from harness.seeds import derive
from harness.spec.trial import ClipSpec


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Clips of one batch: 8-bit RGB pixels ``b t c h w``, labels and domain indices ``b``.

    ``label_distributions`` are the annotators' votes as class probabilities; ``None`` if they are not known for all.
    """

    clip_ids: tuple[str, ...]
    pixels: UInt8[Tensor, "b t c h w"]
    labels: Int[Tensor, " b"]
    groups: Int[Tensor, " b"]
    label_distributions: Float[Tensor, "b k"] | None = None


class Drawn(NamedTuple):
    """Clips of one batch, and the packed frames to read of each, counted from 0."""

    clip_ids: tuple[str, ...]
    indices: Int[np.ndarray, "b t"]


@dataclass(frozen=True, kw_only=True)
class ClipReader:
    """Reads clips of one data set at one clip specification."""

    source: Source
    store: ClipStore
    clip: ClipSpec

    @cached_property
    def domains(self) -> dict[str, int]:
        """Index of each of the data set's domains, in sorted order; a batch's groups are these."""
        return {name: index for index, name in enumerate(sorted({c.domain for c in self.source.clips.values()}))}

    def read(self, drawn: Drawn) -> Batch:
        """The drawn frames of clips, and what is known of them."""
        clips = [self.source.clips[clip_id] for clip_id in drawn.clip_ids]
        pixels = torch.from_numpy(self.store.batch(drawn.clip_ids, drawn.indices))
        return Batch(
            clip_ids=drawn.clip_ids,
            pixels=pixels.permute(0, 1, 4, 2, 3),
            labels=torch.tensor([clip.label for clip in clips]),
            groups=torch.tensor([self.domains[clip.domain] for clip in clips]),
            label_distributions=_distributions(clips),
        )

    def in_order(self, clip_ids: Sequence[str], batch_size: int) -> Iterator[Batch]:
        """Every clip once, in the given order, with the test sampler."""
        return map(self.read, self.drawn_in_order(clip_ids, batch_size))

    def shuffled(self, clip_ids: Sequence[str], batch_size: int, seed: int, epoch: int) -> Iterator[Batch]:
        """Every clip once in an order drawn for this seed and epoch, with the training sampler."""
        return map(self.read, self.drawn_shuffled(clip_ids, batch_size, seed, epoch))

    def drawn_in_order(self, clip_ids: Sequence[str], batch_size: int) -> Iterator[Drawn]:
        """The frames that ``in_order`` reads."""
        for start in range(0, len(clip_ids), batch_size):
            chosen = clip_ids[start : start + batch_size]
            keys = [derive("evaluate", clip_id) for clip_id in chosen]
            yield self._draw(chosen, self.clip.test_sampler, keys)

    def drawn_shuffled(self, clip_ids: Sequence[str], batch_size: int, seed: int, epoch: int) -> Iterator[Drawn]:
        """The frames that ``shuffled`` reads.

        The clips are dealt into batches of nearly equal size, none above ``batch_size``, so none is dropped and no
        batch is left with a single clip for batch normalisation to divide by.
        """
        order = np.random.default_rng(derive(seed, "order", epoch)).permutation(len(clip_ids))
        for part in np.array_split(order, -(-len(clip_ids) // batch_size)):
            chosen = [clip_ids[index] for index in part]
            keys = [derive(seed, "frames", epoch, clip_id) for clip_id in chosen]
            yield self._draw(chosen, self.clip.train_sampler, keys)

    def _draw(self, clip_ids: Sequence[str], sampler: str, keys: Sequence[int]) -> Drawn:
        """Frames of some clips, one key per clip."""
        rows = [
            sample(sampler, self.store.num_frames(clip_id), self.clip.frames, key)
            for clip_id, key in zip(clip_ids, keys, strict=True)
        ]
        return Drawn(tuple(clip_ids), np.stack(rows))


def _distributions(clips: Sequence[Clip]) -> Float[Tensor, "b k"] | None:
    """The clips' class probabilities in single precision, unless one has none."""
    if not all(clip.label_distribution for clip in clips):
        return None
    return torch.tensor([clip.label_distribution for clip in clips])


def soft_targets(batch: Batch, device: torch.device) -> Float[Tensor, "b k"]:
    """The annotators' votes on a batch, on the training's device.

    Raises:
        HarnessError: if a clip of the batch has none; they are named.
    """
    if batch.label_distributions is None:
        raise HarnessError(f"training.soft_labels: some of the clips {', '.join(batch.clip_ids)} have no votes.")
    return batch.label_distributions.to(device, non_blocking=True)
