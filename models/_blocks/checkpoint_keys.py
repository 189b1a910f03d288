"""Names of tensors in published checkpoints, translated to the names used here."""

import re

_BLOCK = {
    "branch1_conv.": "shortcut.0.",
    "branch1_norm.": "shortcut.1.",
    "branch2.conv_a.": "widen.0.",
    "branch2.norm_a.": "widen.1.",
    "branch2.conv_b.": "filter.0.",
    "branch2.norm_b.0.": "filter.1.",
    "branch2.norm_b.1.block.0.": "gate.squeeze.",
    "branch2.norm_b.1.block.2.": "gate.excite.",
    "branch2.conv_c.": "narrow.0.",
    "branch2.norm_c.": "narrow.1.",
}

_STEM = {"conv.conv_t.": "trunk.stem.0.", "conv.conv_xy.": "trunk.stem.1.", "norm.": "trunk.stem.2."}

_HEAD = {
    "pool.pre_conv.": "widen.0.",
    "pool.pre_norm.": "widen.1.",
    "pool.post_conv.": "project.",
    "proj.": "classifier.",
}


def x3d_key(key: str) -> str:
    """The name of a pytorchvideo X3D tensor as ``models/x3d.py`` names it; other names come back unchanged.

    >>> x3d_key("blocks.2.res_blocks.0.branch2.conv_a.weight")
    'trunk.stages.1.0.widen.0.weight'
    """
    matched = re.fullmatch(r"blocks\.(\d)\.(?:res_blocks\.(\d+)\.)?(.+)", key)
    if not matched:
        return key
    position, block, rest = int(matched[1]), matched[2], matched[3]
    if block is not None:
        return _renamed(rest, {old: f"trunk.stages.{position - 1}.{block}.{new}" for old, new in _BLOCK.items()}) or key
    return _renamed(rest, _STEM if position == 0 else _HEAD) or key


def x3d_trunk_key(key: str) -> str | None:
    """The same for a network that keeps X3D's trunk under its own head: the head's tensors have no place."""
    name = x3d_key(key)
    return None if name.split(".")[0] in {"widen", "project"} else name


def _renamed(name: str, table: dict[str, str]) -> str | None:
    """The name with the first matching beginning replaced."""
    return next((new + name.removeprefix(old) for old, new in table.items() if name.startswith(old)), None)


def frame_encoder_key(key: str) -> str | None:
    """The name of a torchvision image ResNet's tensor where it encodes frames; its classifier has no place."""
    return None if key.startswith("fc.") else f"encoder.{key}"


def headless_encoder_key(key: str) -> str | None:
    """The name of a torchvision video transformer's tensor; its classifier has no place."""
    return None if key.startswith("head.") else f"encoder.{key}"
