"""What one trial asks of the scheduler; never part of a trial's identity."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.spec.strict import Strict


class ResourcesSpec(Strict):
    """Processors, GPUs and memory of one trial; no part of a trial's identity."""

    cpus: float = Field(default=1, gt=0)
    """Processor cores."""
    gpus: float | Literal["auto"] = Field(default=0.0, union_mode="left_to_right")
    """GPUs; below 1, trials share one; ``auto`` measures a training step of each method on a GPU and packs as many
    trials on it as its memory holds."""
    memory_mb: int | None = Field(default=None, ge=1)
    """Main memory in MB of 10^6 bytes that Ray sets aside for a trial; ``null`` does not count it."""

    def model_post_init(self, _: object) -> None:
        """A GPU is shared in equal parts or taken whole: Ray cannot place 1.5 GPUs."""
        if isinstance(self.gpus, float) and (self.gpus < 0 or (self.gpus > 1 and self.gpus != int(self.gpus))):
            raise ValueError(f"gpus is auto, 0, a share of one GPU such as 0.25, or a whole number, not {self.gpus:g}")

    @property
    def on_gpu(self) -> bool:
        """Whether a trial is trained on a GPU."""
        return self.gpus == "auto" or self.gpus > 0
