"""Perturbing clips: a spoilt clip is a function of (suite version, condition, clip id, repeat) and of nothing else."""

import hashlib
import json
from collections.abc import Sequence

import torch
from jaxtyping import UInt8
from torch import Tensor

from perturbations._contract import ClipShape, Landmarks, Params, Perturbation
from perturbations._face import face_size
from perturbations._suite import Suite, suite, suites

__all__ = ["SUITE_VERSION", "Suite", "key", "perturb", "stack", "suite", "suites", "to_device"]

SUITE_VERSION = "5"
"""Part of every key: raised with any change to what a perturbation makes of a clip."""
TAKEN_AT_ONCE = 1 << 16
"""Bytes of ordinary memory that CUDA's driver takes over before a copy returns; larger copies may wait, unless they
come from pinned memory (CUDA Runtime API, "API synchronization behavior")."""


def key(perturbation: str, severity: int | float, clip_id: str, repeat: int) -> int:
    """The 63-bit key of all random draws for one clip under one condition.

    Args:
        perturbation: the name that it is loaded by.
        severity: 0 to 5; 3 and 3.0 are the same severity.
        clip_id: unique within the data set.
        repeat: 0, 1, ... for independent draws of the same condition.
    """
    purpose = json.dumps([SUITE_VERSION, perturbation, float(severity), clip_id, repeat])
    return int(hashlib.sha256(purpose.encode()).hexdigest()[:16], 16) >> 1


def perturb(
    pixels: UInt8[Tensor, "b t c h w"],
    perturbation: Perturbation,
    severity: int | float,
    keys: Sequence[int],
    landmarks: Sequence[Landmarks | None] | None = None,
) -> UInt8[Tensor, "b t c h w"]:
    """A batch of RGB clips under a perturbation, on the device that the clips are on.

    On the CPU clips are taken one by one, which keeps them in cache, unless the perturbation sees to that itself;
    elsewhere the whole batch is one call.

    Args:
        pixels: is left as it is.
        perturbation: what to do.
        severity: 0 returns a copy of the clips; 1 to 5 are the documented levels, fractions between them interpolate.
        keys: one for each clip, from ``key``.
        landmarks: of each clip's face, for those who cover parts of it; without them faces are taken to be aligned.

    Raises:
        ValueError: if the clips are not 8-bit RGB of at least a frame of 2 x 2 pixels, the number of keys or landmarks
            is not the number of clips, landmarks are not fractions of the frame, the severity is neither 0 nor within
            1..5, or the perturbation returns anything but 8-bit clips of the shape that it was given, or writes into
            those.
    """
    size = tuple(pixels.shape)
    if pixels.dtype != torch.uint8 or len(size) != 5 or size[2] != 3 or size[1] < 1 or min(size[3:]) < 2:
        seen = f"{str(pixels.dtype).removeprefix('torch.')} of shape {size}"
        raise ValueError(
            f"clips are uint8 of shape (clips, frames, 3, height, width), a frame of 2 x 2 pixels or more, not {seen}"
        )
    count, frames, _, height, width = size
    _check_landmarks(landmarks, count)
    if len(keys) != count:
        raise ValueError(f"{len(keys)} keys were given for {count} clips; give one key for each clip")
    if severity == 0 or not count:
        return pixels.clone()
    level, kind = perturbation.level(severity), "cpu" if pixels.is_cpu else pixels.device.type
    shape = ClipShape(frames, height, width)
    if landmarks is not None:
        faces = zip(keys, landmarks, strict=True)
        drawn = [perturbation.draw(level, each, shape._replace(landmarks=face)) for each, face in faces]
    elif perturbation.keyed:
        drawn = [perturbation.draw(level, each, shape) for each in keys]
    else:
        drawn = [perturbation.draw(level, keys[0], shape)] * count
    if not torch.is_autocast_enabled(kind):
        return _spoilt(pixels.contiguous(), perturbation, drawn)
    with torch.autocast(kind, enabled=False):
        return _spoilt(pixels.contiguous(), perturbation, drawn)


def _check_landmarks(landmarks: Sequence[Landmarks | None] | None, count: int) -> None:
    """A face may lie partly outside the frame, but not by more than the frame's size: then they are pixels."""
    if landmarks is None:
        return
    if len(landmarks) != count:
        raise ValueError(f"landmarks of {len(landmarks)} faces were given for {count} clips; give None where unknown")
    for face in landmarks:
        if face is not None and not all(-1 <= part <= 2 for point in face for part in point):
            raise ValueError(f"landmarks are fractions of the frame, (right, down) within -1..2, not {tuple(face)}")
        if face is not None and not face_size(face):
            raise ValueError(f"eyes and mouth are all at {face.left_eye}, so the face has no size; give None")


def _spoilt(
    pixels: UInt8[Tensor, "b t c h w"], perturbation: Perturbation, drawn: list[Params]
) -> UInt8[Tensor, "b t c h w"]:
    """All clips at once, or one by one."""
    if not pixels.is_cpu:
        return _applied(pixels, perturbation, to_device(stack(drawn), pixels.device))
    if perturbation.whole_batch:
        return _applied(pixels, perturbation, stack(drawn))
    spoilt = torch.empty_like(pixels)
    for into, clip, params in zip(spoilt, pixels, drawn, strict=True):
        into.copy_(_applied(clip[None], perturbation, stack([params]))[0])
    return spoilt


def _applied(
    pixels: UInt8[Tensor, "b t c h w"], perturbation: Perturbation, params: Params
) -> UInt8[Tensor, "b t c h w"]:
    """What the perturbation makes of clips: clips like them, because a copy would cast or repeat anything else.

    A clip is shown under one condition after another, so who writes into it spoils the others; torch counts writes.
    """
    before = _writes(pixels)
    spoilt = perturbation.apply(pixels, params)
    if _writes(pixels) != before:
        raise ValueError(
            f"'{perturbation.title}' writes into the clips that it is given, which other conditions see next: let its "
            "apply begin with pixels = pixels.clone()"
        )
    if spoilt.dtype != torch.uint8 or spoilt.shape != pixels.shape:
        seen = f"{str(spoilt.dtype).removeprefix('torch.')} of shape {tuple(spoilt.shape)}"
        raise ValueError(
            f"'{perturbation.title}' makes {seen} of uint8 clips of shape {tuple(pixels.shape)}: keep both"
        )
    return spoilt


def _writes(pixels: UInt8[Tensor, "b t c h w"]) -> int:
    """How often operations have written into a tensor or its views; inference tensors do not count it."""
    return 0 if pixels.is_inference() else pixels._version


def stack(drawn: Sequence[Params]) -> Params:
    """The parameters of several clips as those of a batch: the clip becomes the first axis."""
    first = drawn[0]
    if all(params is first for params in drawn):
        return {name: value.expand(len(drawn), *value.shape) for name, value in first.items()}
    return {name: torch.stack([params[name] for params in drawn]) for name in first}


def to_device(params: Params, device: torch.device) -> Params:
    """A batch's parameters where its pixels are; what the host must know stays with it.

    The parameters of a combination's members carry their place before the name.
    """
    stays = {name for name in params if name.rpartition(".")[2].startswith("host_")}
    return {name: value if name in stays else _sent(value, device) for name, value in params.items()}


def _sent(value: Tensor, device: torch.device) -> Tensor:
    """A tensor on its way to a device, whose unfinished work is not waited for."""
    if value.nbytes > TAKEN_AT_ONCE and device.type == "cuda" and torch.cuda.is_available():
        value = value.pin_memory()
    return value.to(device, non_blocking=True)
