"""Clips and data sets small enough to be made in a test: real video files, real frame folders, known pixels."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from PIL import Image

from harness.data.clip import Clip, OfficialFold, Source


def counting_frames(num_frames: int, size: int = 32) -> np.ndarray:
    """Grey frames whose brightness tells their index: frame i has the value 8 + 5 i (at most 48 frames)."""
    values = 8 + 5 * np.arange(num_frames)
    return np.broadcast_to(values[:, None, None, None], (num_frames, size, size, 3)).astype(np.uint8)


def told_indices(frames: np.ndarray) -> list[int]:
    """The indices that counting frames tell, after lossy coding and resizing."""
    return ((frames.mean(axis=(1, 2, 3)) - 8) / 5).round().astype(int).tolist()


def textured_frames(num_frames: int, size: int = 48, seed: int = 0) -> np.ndarray:
    """Smooth random colour blobs that drift: something a codec has work with."""
    generator = np.random.default_rng(seed)
    waves = generator.uniform(0.02, 0.1, (3, 2))
    phases = generator.uniform(0, 6, 3)
    y, x, t = np.mgrid[:size, :size, :num_frames].astype(float)
    channels = [np.sin(a * x + b * y + phase + 0.3 * t) for (a, b), phase in zip(waves, phases, strict=True)]
    return (127 + 120 * np.stack(channels)).transpose(3, 1, 2, 0).astype(np.uint8)


def write_video(path: Path, frames: np.ndarray, codec: str = "libx264", rate: int = 25) -> Path:
    """Encode frames at high quality; the container follows from the file's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"crf": "8", "preset": "ultrafast"} if codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.bit_rate = 4_000_000
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_frames(folder: Path, frames: np.ndarray, name: str = "{}.png") -> Path:
    """Write a frame folder, numbered from 1 without padding as in DFEW's 16-frame folders."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, frame in enumerate(frames, start=1):
        Image.fromarray(frame).save(folder / name.format(number))
    return folder


def write_lines(path: Path, lines: Sequence[str], end: str = "\n") -> Path:
    """Write a text list."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + end for line in lines).encode())
    return path


def dfew_labels(per_class: int = 5) -> dict[str, int]:
    """Clip ids and labels from 1 to 7, classes taking turns."""
    labels = itertools.islice(itertools.cycle(range(1, 8)), 7 * per_class)
    return {f"{number:05d}": label for number, label in enumerate(labels, start=1)}


def write_dfew_lists(root: Path, labels: dict[str, int], folds: int = 5) -> None:
    """DFEW's own lists: within each class, test blocks are contiguous ids; ids are written without padding."""
    by_class: dict[int, list[str]] = {}
    for clip_id, label in sorted(labels.items()):
        by_class.setdefault(label, []).append(clip_id)
    blocks = [
        [ids[f * len(ids) // folds : (f + 1) * len(ids) // folds] for ids in by_class.values()] for f in range(folds)
    ]
    for fold, block in enumerate(blocks, start=1):
        test = sorted(itertools.chain(*block))
        for split, ids in (("test", test), ("train", sorted(set(labels) - set(test)))):
            rows = [f"{int(clip_id)},{labels[clip_id]}" for clip_id in ids]
            path = root / "EmoLabel_DataSplit" / f"{split}(single-labeled)" / f"set_{fold}.csv"
            write_lines(path, ["video_name,label", *rows])


def write_dfew(root: Path, labels: dict[str, int] | None = None, clips: str = "clip_224x224") -> Path:
    """A DFEW tree whose clips are named but hold one tiny frame each (or one byte, where the folder is of videos)."""
    labels = labels if labels is not None else dfew_labels()
    write_dfew_lists(root, labels)
    for clip_id in labels:
        if clips.endswith(("avi", "mp4")):
            path = root / "Clip" / clips / f"{clip_id}.{clips[-3:]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        else:
            folder = root / "Clip" / clips / clip_id
            folder.mkdir(parents=True)
            (folder / f"{clip_id}_00001.jpg").write_bytes(b"x")
    return root


def source_of(
    labels: Sequence[int], groups: Sequence[str] | None = None, test: Sequence[int] = (), classes: int | None = None
) -> Source:
    """A data set of clips '0', '1', ... with fold 1 testing on the given positions; no files behind it."""
    clips = {
        f"{index:04d}": Clip(
            clip_id=f"{index:04d}", path=Path(f"{index}.mp4"), label=label, group=groups[index] if groups else ""
        )
        for index, label in enumerate(labels)
    }
    ids = list(clips)
    held = {ids[index] for index in test}
    fold = OfficialFold(tuple(i for i in ids if i not in held), tuple(i for i in ids if i in held))
    names = tuple("abcdefghij"[: classes or max(labels) + 1])
    return Source(name="made", root=Path(), classes=names, clips=clips, folds={1: fold}, excluded={})
